//! Packages against real servers on this machine: an HTTP repository that misbehaves in every way that matters, and
//! an OCI registry where the machine has one.

use camino::Utf8PathBuf;
use flate2::{Compression, write::GzEncoder};
use stackc::package::cache::Cache;
use stackc::package::lock::{Pinned, Wanted};
use stackc::package::source::Packages;
use stackc::package::{ContentDigest, PackageError};
use stackc::world::World as _;
use stackc::world::os::OsWorld;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a path of the server answers with, byte for byte.
type Script = BTreeMap<String, Vec<u8>>;

struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(script: impl Fn(u16) -> Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let script = script(port);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &script, &log);
            }
        });
        Self { port, seen }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("the log").clone()
    }
}

fn answer(mut stream: TcpStream, script: &Script, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let path = head.split(' ').nth(1).unwrap_or("").to_owned();
    let authorization = head.lines().find_map(|line| {
        line.to_ascii_lowercase().starts_with("authorization:").then(|| line[14..].trim().to_owned())
    });
    log.lock().expect("the log").push(format!("{path} {}", authorization.as_deref().unwrap_or("-")));
    let needs_login = script.get(&format!("login {path}"));
    let reply = match (needs_login, authorization) {
        (Some(_), None) => plain(401, &[("www-authenticate", "Basic realm=\"x\"")], b""),
        _ => script.get(&path).cloned().unwrap_or_else(|| plain(404, &[], b"nothing here")),
    };
    drop(stream.write_all(&reply));
}

fn plain(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}

/// The machine with a home of the test's own.
fn home(folder: &tempfile::TempDir, more: &[(&str, &str)]) -> OsWorld {
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
    let cache = root.join("cache");
    let own = [("HOME", root.as_str()), ("STACKC_CACHE", cache.as_str())];
    let variables =
        own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    OsWorld::new(root.clone()).with_variables(variables)
}

fn packages(home: &OsWorld) -> Packages<'_> {
    Packages::new(home, Cache::open(home), None, false)
}

fn chart(source: &str, name: &str, range: &str) -> Wanted {
    Wanted::Chart { name: name.into(), range: range.into(), source: source.into() }
}

fn index(entries: &str) -> Vec<u8> {
    plain(200, &[], format!("apiVersion: v1\nentries:\n{entries}").as_bytes())
}

#[test]
fn an_http_repository_with_relative_urls_redirects_and_gzip() {
    let other = Server::start(|_| [("/far/b-2.0.0.tgz".to_owned(), plain(200, &[], b"far"))].into());
    let target = format!("{}/far/b-2.0.0.tgz", other.url());
    let server = Server::start(move |_| {
        let text = "  a:\n  - {version: 1.0.0, urls: [a-1.0.0.tgz]}\n  - {version: 1.2.0, urls: [../x/a-1.2.0.tgz]}\n  b:\n  - {version: 2.0.0, urls: [b-2.0.0.tgz]}\n";
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(format!("entries:\n{text}").as_bytes()).expect("memory");
        let packed = gzip.finish().expect("memory");
        [
            ("/charts/index.yaml".to_owned(), plain(200, &[("content-encoding", "gzip")], &packed)),
            ("/x/a-1.2.0.tgz".to_owned(), plain(200, &[], b"archive")),
            ("login /charts/b-2.0.0.tgz".to_owned(), Vec::new()),
            ("/charts/b-2.0.0.tgz".to_owned(), plain(302, &[("location", &target)], b"")),
        ]
        .into()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[(&format!("STACKC_LOGIN_127_0_0_1_{}", server.port), "me:secret")]);
    let packages = packages(&home);
    let source = format!("{}/charts", server.url());
    let wanted = chart(&source, "a", "^1");
    let pinned = packages.resolve(&wanted).expect("a version");
    assert_eq!((pinned.version.as_str(), &pinned.digest), ("1.2.0", &ContentDigest::of(b"archive")));
    assert_eq!(packages.fetch(&wanted, &pinned).expect("bytes"), b"archive");
    assert_eq!(
        packages.newer(&wanted, &Pinned { version: "1.0.0".into(), ..pinned }).expect("a list"),
        ["1.2.0"]
    );
    // The redirect leads to another host: the login must not go along.
    assert_eq!(
        packages
            .fetch(
                &chart(&source, "b", "2.0.0"),
                &packages.resolve(&chart(&source, "b", "2.0.0")).expect("b")
            )
            .expect("bytes"),
        b"far"
    );
    assert!(
        server.seen().iter().any(|line| line == "/charts/b-2.0.0.tgz Basic bWU6c2VjcmV0"),
        "{:?}",
        server.seen()
    );
    assert!(
        other.seen().iter().all(|line| line.ends_with(" -")),
        "credentials reached another host: {:?}",
        other.seen()
    );
    assert!(
        server.seen().iter().all(|line| !line.starts_with("/charts/index.yaml Basic")),
        "credentials unasked for"
    );
}

#[test]
fn what_servers_get_wrong_is_said_and_never_cached() {
    let server = Server::start(|port| {
        let mut short = plain(200, &[], b"0123456789");
        short.truncate(short.len() - 5);
        [
            ("/index.yaml".to_owned(), index(
                "  cut:\n  - {version: 1.0.0, urls: [cut.tgz]}\n  gone:\n  - {version: 1.0.0, urls: [gone.tgz]}\n  \
                 loop:\n  - {version: 1.0.0, urls: [loop.tgz]}\n  \
                 lie:\n  - {version: 1.0.0, urls: [lie.tgz], digest: '0000000000000000000000000000000000000000000000000000000000000000'}\n  \
                 file:\n  - {version: 1.0.0, urls: ['file:///etc/passwd']}\n  odd: 7\n")),
            ("/cut.tgz".to_owned(), short),
            ("/lie.tgz".to_owned(), plain(200, &[], b"other bytes")),
            ("/loop.tgz".to_owned(), plain(302, &[("location", &format!("http://127.0.0.1:{port}/loop.tgz"))], b"")),
            ("/broken/index.yaml".to_owned(), plain(200, &[], b"entries: [")),
            ("/bomb/index.yaml".to_owned(), index("  a: &a [x,x,x,x,x,x,x,x,x]\n  b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n  c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n  e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n  f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n  g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n  h: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n")),
        ]
        .into()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    let packages = packages(&home);
    let root = server.url();
    let fails = |wanted: &Wanted| packages.resolve(wanted).expect_err("an error");
    assert!(matches!(fails(&chart(&root, "cut", "1.0.0")), PackageError::Exchange { .. }));
    assert!(matches!(fails(&chart(&root, "gone", "1.0.0")), PackageError::Status { status: 404, .. }));
    assert!(matches!(fails(&chart(&root, "lie", "1.0.0")), PackageError::Digest { .. }));
    assert!(fails(&chart(&root, "loop", "1.0.0")).to_string().contains("redirects"));
    assert!(matches!(fails(&chart(&root, "file", "1.0.0")), PackageError::NoSuchVersion { .. }));
    assert!(matches!(fails(&chart(&root, "odd", "1.0.0")), PackageError::Malformed { .. }));
    assert_eq!(
        fails(&chart(&root, "oddd", "1.0.0")),
        PackageError::NoSuchChart {
            name: "oddd".into(),
            source: format!("{root}/index.yaml"),
            near: Some("odd".into())
        }
    );
    assert!(matches!(fails(&chart(&root, "cut", "^2")), PackageError::NoSuchVersion { .. }));
    assert!(matches!(fails(&chart(&format!("{root}/broken"), "a", "1")), PackageError::Malformed { .. }));
    assert!(matches!(fails(&chart(&format!("{root}/bomb"), "a", "1")), PackageError::Malformed { .. }));
    assert!(matches!(fails(&chart("http://127.0.0.1:1", "a", "1")), PackageError::Exchange { .. }));
    assert!(!folder.path().join("cache").exists(), "nothing of this may be in the cache");
}

#[test]
fn bytes_that_changed_behind_a_pin_are_refused_and_offline_asks_nobody() {
    let server = Server::start(|_| {
        [
            ("/index.yaml".to_owned(), index("  a:\n  - {version: 1.0.0, urls: [a.tgz]}\n")),
            ("/a.tgz".to_owned(), plain(200, &[], b"new bytes")),
        ]
        .into()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    let wanted = chart(&server.url(), "a", "1.0.0");
    let pinned = Pinned { version: "1.0.0".into(), digest: ContentDigest::of(b"old bytes"), manifest: None };
    let error = packages(&home).fetch(&wanted, &pinned).expect_err("other bytes");
    let words = error.to_string();
    assert!(
        words.contains(pinned.digest.as_str()) && words.contains(ContentDigest::of(b"new bytes").as_str()),
        "{words}"
    );
    assert!(!folder.path().join("cache").exists());

    let offline = Packages::new(&home, Cache::open(&home), None, true);
    let before = server.seen().len();
    assert!(matches!(offline.fetch(&wanted, &pinned), Err(PackageError::Offline(_))));
    assert_eq!(server.seen().len(), before, "offline asked the server");
}

#[test]
fn a_mirror_stands_for_the_network() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    let mirror = Utf8PathBuf::from_path_buf(folder.path().join("mirror")).expect("UTF-8");
    for (name, bytes) in [
        ("cert-manager-v1.17.2.tgz", "a"),
        ("cert-manager-webhook-hetzner-1.4.0.tgz", "b"),
        ("manifests/gateway-api-v1.3.0-standard.yaml", "c"),
    ] {
        home.write(&mirror.join(name), bytes.as_bytes()).expect("room");
    }
    let packages = Packages::new(&home, Cache::open(&home), Some(mirror), true);
    let pinned =
        packages.resolve(&chart("https://charts.jetstack.io", "cert-manager", "v1.17.2")).expect("a version");
    assert_eq!(pinned.digest, ContentDigest::of(b"a"));
    let url = "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.3.0/standard-install.yaml";
    let pinned = packages.resolve(&Wanted::Manifest { url: url.into() }).expect("a file");
    assert_eq!(pinned.digest, ContentDigest::of(b"c"));
    assert!(matches!(
        packages.resolve(&chart("https://charts.jetstack.io", "cert-manger", "1")),
        Err(PackageError::NoSuchChart { near: Some(near), .. }) if near == "cert-manager"
    ));
}

/// A registry process that ends with the test.
struct Registry {
    child: Child,
    port: u16,
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn registry(folder: &tempfile::TempDir) -> Option<Registry> {
    let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    let config = folder.path().join("registry.yml");
    std::fs::write(
        &config,
        format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdir: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            folder.path().join("store").display()
        ),
    )
    .ok()?;
    let child = Command::new("docker-registry")
        .args(["serve", config.to_str()?])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let registry = Registry { child, port };
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(registry);
        }
        thread::sleep(std::time::Duration::from_millis(50));
    }
    None
}

/// One raw request, answered with status and headers.
fn raw(port: u16, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the registry");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("a write");
    stream.write_all(body).expect("a write");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("a reply");
    let text = String::from_utf8_lossy(&reply).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, text)
}

fn push_blob(port: u16, name: &str, bytes: &[u8]) -> ContentDigest {
    let digest = ContentDigest::of(bytes);
    let (status, reply) =
        raw(port, "POST", &format!("/v2/{name}/blobs/uploads/"), "application/octet-stream", b"");
    assert_eq!(status, 202, "{reply}");
    let location = reply
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().starts_with("location:").then(|| line[9..].trim().to_owned())
        })
        .expect("a location");
    let path = location.split_once(&format!(":{port}")).map_or(location.clone(), |(_, path)| path.to_owned());
    let joint = if path.contains('?') { '&' } else { '?' };
    let (status, reply) =
        raw(port, "PUT", &format!("{path}{joint}digest={digest}"), "application/octet-stream", bytes);
    assert_eq!(status, 201, "{reply}");
    digest
}

#[test]
fn a_real_registry_gives_what_was_pushed() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(registry) = registry(&folder) else {
        eprintln!("SKIPPED: no `docker-registry` on this machine, OCI is not tried against a real registry");
        return;
    };
    let (port, name) = (registry.port, "charts/app");
    let layer = push_blob(port, name, b"chart archive");
    let config = push_blob(port, name, b"{}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"{layer}","size":13}}]}}"#
    );
    for tag in ["1.0.0", "1.1.0_build.5", "latest"] {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let (status, reply) =
            raw(port, "PUT", &format!("/v2/{name}/manifests/{tag}"), kind, manifest.as_bytes());
        assert_eq!(status, 201, "{reply}");
    }
    let home = home(&folder, &[]);
    let packages = packages(&home);
    let wanted = chart(&format!("oci://127.0.0.1:{port}/charts"), "app", "^1.0");
    let pinned = packages.resolve(&wanted).expect("a version");
    assert_eq!(pinned.version, "1.1.0+build.5");
    assert_eq!(pinned.digest, layer);
    assert_eq!(pinned.manifest, Some(ContentDigest::of(manifest.as_bytes())));
    std::fs::remove_dir_all(folder.path().join("cache")).expect("a cache");
    assert_eq!(packages.fetch(&wanted, &pinned).expect("bytes"), b"chart archive");
    let missing = chart(&format!("oci://127.0.0.1:{port}/charts"), "nothing", "1");
    assert!(matches!(packages.resolve(&missing), Err(PackageError::Status { status: 404, .. })));
}
