//! The machine.
#![allow(clippy::disallowed_methods, reason = "this is the one place that touches the machine")]

use super::net::{Finished, NetError, Request, Response};
use super::{EntryKind, Exclusive, FolderEntry, World, WorldError};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _, Read as _, Write as _};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

static WRITES: AtomicU64 = AtomicU64::new(0);

/// What points `git` at one repository, as hooks have it (`git rev-parse --local-env-vars`). `GIT_CONFIG_COUNT` and
/// `GIT_CONFIG_PARAMETERS` stay, as they do on git's own way into a submodule: CI hands credentials over in them.
const OF_ONE_REPOSITORY: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
];

static AGENT: OnceLock<ureq::Agent> = OnceLock::new();

/// Redirects and statuses are the caller's; certificates are those of the system.
fn agent() -> ureq::Agent {
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
    ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .user_agent(concat!("stackc/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .build()
        .into()
}

/// What the library says, by whether another attempt may help.
fn net_error(error: &ureq::Error) -> NetError {
    let words = error.to_string();
    match error {
        ureq::Error::Timeout(_) => NetError::Late(words),
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => NetError::Late(words),
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof => NetError::Lost(words),
            _ => NetError::Failed(words),
        },
        _ => NetError::Failed(words),
    }
}

/// Files, environment and processes of this machine, relative paths taken from one folder.
#[derive(Debug)]
pub struct OsWorld {
    root: Utf8PathBuf,
    variables: Option<BTreeMap<String, String>>,
    pauses: Option<Arc<Mutex<Vec<Duration>>>>,
    random: Mutex<Vec<u8>>,
}

impl OsWorld {
    /// The machine seen from `root`.
    pub fn new(root: Utf8PathBuf) -> Self {
        Self { root, variables: None, pauses: None, random: Mutex::default() }
    }

    /// The machine with these environment variables and no others.
    #[must_use]
    pub fn with_variables(mut self, variables: BTreeMap<String, String>) -> Self {
        self.variables = Some(variables);
        self
    }

    /// The machine, on which pauses are noted and take no time.
    #[must_use]
    pub fn with_pauses(mut self, pauses: Arc<Mutex<Vec<Duration>>>) -> Self {
        self.pauses = Some(pauses);
        self
    }

    /// The machine seen from the current folder.
    pub fn here() -> Result<Self, WorldError> {
        let folder = std::env::current_dir()
            .map_err(|error| WorldError::Failed(Utf8PathBuf::from("."), error.to_string()))?;
        Utf8PathBuf::from_path_buf(folder).map(Self::new).map_err(|folder| {
            WorldError::Failed(
                folder.to_string_lossy().into_owned().into(),
                "the folder's name is not UTF-8".into(),
            )
        })
    }

    fn resolve(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.root.join(path)
    }
}

fn failure(path: &Utf8Path, error: &std::io::Error) -> WorldError {
    match error.kind() {
        // Below a file there is nothing.
        ErrorKind::NotFound | ErrorKind::NotADirectory => WorldError::Missing(path.to_owned()),
        _ => WorldError::Failed(path.to_owned(), error.to_string()),
    }
}

/// The most that one file, or standard input, may hold; what never ends is a device or a pipe.
const MAX_READ: usize = 128 << 20;

fn read_to_limit(input: impl std::io::Read, size: usize, path: &Utf8Path) -> Result<Vec<u8>, WorldError> {
    let mut bytes = Vec::with_capacity(size.min(MAX_READ));
    input.take(MAX_READ as u64 + 1).read_to_end(&mut bytes).map_err(|error| failure(path, &error))?;
    if bytes.len() > MAX_READ {
        return Err(WorldError::Failed(path.to_owned(), "it holds more than 134217728 bytes".into()));
    }
    Ok(bytes)
}

/// How many random bytes are fetched at a time.
const RANDOM_SUPPLY: usize = 4096;

/// Fills the buffer from the system's source of random bytes.
fn draw(out: &mut [u8]) {
    use std::hash::{BuildHasher as _, RandomState};
    let read = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(out));
    if read.is_err() {
        // Without the device: the keys that the standard library draws for its hash tables.
        for (at, chunk) in out.chunks_mut(8).enumerate() {
            let bytes = RandomState::new().hash_one(at).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

fn kind_of(file_type: std::fs::FileType) -> EntryKind {
    if file_type.is_dir() {
        EntryKind::Folder
    } else if file_type.is_file() {
        EntryKind::File
    } else {
        EntryKind::Other
    }
}

/// Whether to wait until the disk has the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    ForTheDisk,
    No,
}

impl OsWorld {
    /// Puts a whole file in the place of another, under its rights; nobody sees half of it.
    fn replace(&self, path: &Utf8Path, bytes: &[u8], wait: Wait) -> Result<(), WorldError> {
        let target = self.resolve(path);
        let fail = |error: std::io::Error| failure(path, &error);
        let folder = target.parent().unwrap_or(&self.root);
        let name = target.file_name().unwrap_or("file");
        // Threads of one process may write the same bytes at once: each has a name of its own.
        let number = WRITES.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!(".{name}.stackc-{}{number:010}", std::process::id()));
        let create = || std::fs::File::create(&temporary);
        let file = create().or_else(|error| match error.kind() {
            ErrorKind::NotFound => std::fs::create_dir_all(folder).and_then(|()| create()),
            _ => Err(error),
        });
        let written = file.and_then(|mut file| {
            file.write_all(bytes)?;
            if let Ok(before) = std::fs::symlink_metadata(&target)
                && before.is_file()
            {
                file.set_permissions(before.permissions())?;
            }
            if wait == Wait::ForTheDisk { file.sync_all() } else { Ok(()) }
        });
        written.and_then(|()| std::fs::rename(&temporary, &target)).map_err(|error| {
            drop(std::fs::remove_file(&temporary));
            fail(error)
        })
    }
}

impl World for OsWorld {
    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, WorldError> {
        let file = std::fs::File::open(self.resolve(path)).map_err(|error| failure(path, &error))?;
        let size = file.metadata().ok().and_then(|data| usize::try_from(data.len()).ok()).unwrap_or(0);
        read_to_limit(file, size, path)
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<FolderEntry>, WorldError> {
        let fail = |error: std::io::Error| failure(path, &error);
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.resolve(path)).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().into_string().map_err(|name| {
                WorldError::Failed(path.join(name.to_string_lossy().as_ref()), "the name is not UTF-8".into())
            })?;
            let kind =
                std::fs::metadata(entry.path()).map_or(EntryKind::Other, |data| kind_of(data.file_type()));
            entries.push(FolderEntry { name, kind });
        }
        entries.sort();
        Ok(entries)
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        std::fs::metadata(self.resolve(path)).ok().map(|data| kind_of(data.file_type()))
    }

    fn size(&self, path: &Utf8Path) -> Result<u64, WorldError> {
        std::fs::metadata(self.resolve(path)).map(|data| data.len()).map_err(|error| failure(path, &error))
    }

    fn real_path(&self, path: &Utf8Path) -> Result<Utf8PathBuf, WorldError> {
        self.resolve(path).canonicalize_utf8().map_err(|error| failure(path, &error))
    }

    fn now(&self) -> (i64, u32) {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
    }

    fn random(&self, out: &mut [u8]) {
        // Small wants are served from a supply: a chart may ask for a million dice.
        if out.len() < RANDOM_SUPPLY / 8
            && let Ok(mut supply) = self.random.lock()
        {
            if supply.len() < out.len() {
                supply.resize(RANDOM_SUPPLY, 0);
                draw(&mut supply);
            }
            let rest = supply.len() - out.len();
            out.copy_from_slice(&supply[rest..]);
            supply.truncate(rest);
            return;
        }
        draw(out);
    }

    fn standard_input(&self) -> Result<Vec<u8>, WorldError> {
        read_to_limit(std::io::stdin().lock(), 0, "-".into())
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.replace(path, bytes, Wait::ForTheDisk)
    }

    fn keep(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.replace(path, bytes, Wait::No)
    }

    fn remove(&self, path: &Utf8Path) -> Result<(), WorldError> {
        match std::fs::remove_file(self.resolve(path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failure(path, &error)),
            _ => Ok(()),
        }
    }

    fn remove_empty_folder(&self, path: &Utf8Path) -> Result<(), WorldError> {
        match std::fs::remove_dir(self.resolve(path)) {
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
                Err(failure(path, &error))
            }
            _ => Ok(()),
        }
    }

    fn exclusive(&self, path: &Utf8Path) -> Result<Exclusive, WorldError> {
        let target = self.resolve(path);
        let fail = |error: std::io::Error| failure(path, &error);
        std::fs::create_dir_all(target.parent().unwrap_or(&self.root)).map_err(fail)?;
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&target).map_err(fail)?;
        file.lock().map_err(fail)?;
        Ok(Exclusive::held_by(Box::new(file)))
    }

    fn variable(&self, name: &str) -> Option<String> {
        match &self.variables {
            Some(variables) => variables.get(name).cloned(),
            None => std::env::var(name).ok(),
        }
    }

    fn pause(&self, time: Duration) {
        match &self.pauses {
            Some(pauses) => pauses.lock().unwrap_or_else(PoisonError::into_inner).push(time),
            None => std::thread::sleep(time),
        }
    }

    fn fetch(&self, request: &Request) -> Result<Response, NetError> {
        let agent = AGENT.get_or_init(agent);
        let mut response = if let Some(form) = &request.form {
            let mut builder = agent.post(&request.url);
            for (name, value) in &request.headers {
                builder = builder.header(name, value);
            }
            builder
                .config()
                .timeout_global(Some(request.timeout))
                .build()
                .send_form(form.iter().map(|(name, value)| (name.as_str(), value.as_str())))
                .map_err(|error| net_error(&error))?
        } else {
            let mut builder = agent.get(&request.url);
            for (name, value) in &request.headers {
                builder = builder.header(name, value);
            }
            builder
                .config()
                .timeout_global(Some(request.timeout))
                .build()
                .call()
                .map_err(|error| net_error(&error))?
        };
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let body =
            response.body_mut().with_config().limit(request.limit).read_to_vec().map_err(
                |error| match error {
                    ureq::Error::BodyExceedsLimit(_) => NetError::TooLarge(request.limit),
                    other => net_error(&other),
                },
            )?;
        let response = Response { status, headers, body };
        let stated = response.header("content-length").and_then(|length| length.parse::<usize>().ok());
        if stated.is_some_and(|length| length != response.body.len()) {
            return Err(NetError::Lost("the answer ended early".to_owned()));
        }
        Ok(response)
    }

    fn execute(&self, program: &str, arguments: &[&str], input: &[u8]) -> Result<Finished, WorldError> {
        let fail = |error: std::io::Error| failure(Utf8Path::new(program), &error);
        let mut command = std::process::Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if program == "git" {
            for name in OF_ONE_REPOSITORY {
                command.env_remove(name);
            }
            command.env("GIT_TERMINAL_PROMPT", "0");
        }
        let mut child = command.spawn().map_err(fail)?;
        let pipe = child.stdin.take();
        // A program may answer before it has read everything, and both pipes are of a limited size.
        let output = std::thread::scope(|scope| {
            scope.spawn(move || {
                // A program that does not read its input closes the pipe; that is its own affair.
                let _ignored = pipe.map(|mut pipe| pipe.write_all(input));
            });
            child.wait_with_output()
        })
        .map_err(fail)?;
        Ok(Finished {
            code: output.status.code(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn root(&self) -> Option<&Utf8Path> {
        Some(&self.root)
    }
}

/// What the terminal can do.
#[derive(Copy, Clone, Debug)]
pub struct Terminal {
    /// Colours are wanted on standard error.
    pub color: bool,
    /// Its width in columns.
    pub width: usize,
    /// A line may be drawn on it and taken away again.
    pub progress: bool,
}

/// Looks at the terminal behind standard error; `NO_COLOR` and `CLICOLOR_FORCE` are honoured.
pub fn terminal() -> Terminal {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    let color = set("CLICOLOR_FORCE") || (std::io::stderr().is_terminal() && !set("NO_COLOR"));
    let width = terminal_size::terminal_size().map_or(110, |(width, _)| usize::from(width.0));
    let dumb = std::env::var_os("TERM").is_none_or(|name| name == "dumb");
    let progress = std::io::stderr().is_terminal() && !dumb && !set("CI");
    Terminal { color, width, progress }
}

/// The command line of this process.
pub fn arguments() -> impl Iterator<Item = std::ffi::OsString> {
    std::env::args_os()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_for_ever() {
        let refused = read_to_limit(std::io::repeat(0), 0, "-".into()).expect_err("endless");
        assert_eq!(refused.to_string(), "`-`: it holds more than 134217728 bytes");
        assert_eq!(read_to_limit(&b"abc"[..], 3, "-".into()), Ok(b"abc".to_vec()));
    }

    #[test]
    fn random_bytes_are_handed_out_once() {
        let world = OsWorld::new("/".into());
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let mut bytes = [0; 16];
            world.random(&mut bytes);
            assert!(seen.insert(bytes));
        }
    }
}
