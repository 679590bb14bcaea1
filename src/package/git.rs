//! Charts in Git repositories, through the `git` program: its credentials, proxies and protocols are the user's own.
//!
//! Everything happens in a bare repository below the cache, which is named to every command; refs are written below
//! `refs/stackc/` alone. Files are read as they are committed: no line endings, filters and attributes of anybody.

use super::address::{holds_login, without_login};
use super::pack::{self, LARGEST};
use super::{ContentDigest, PackageError};
use crate::world::net::Finished;
use crate::world::{World, WorldError};
use camino::{Utf8Path, Utf8PathBuf};

/// The commit that a revision means now.
pub(super) fn resolve(world: &dyn World, url: &str, revision: &str) -> Result<String, PackageError> {
    refuse_options(url, revision)?;
    if revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(revision.to_ascii_lowercase());
    }
    let text = git(world, url, &["ls-remote", "--", url, revision, &format!("{revision}^{{}}")])?;
    let lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    // The peeled line of an annotated tag is its commit; otherwise tags win over branches, as in `git fetch`.
    let order = [
        format!("{revision}^{{}}"),
        format!("refs/tags/{revision}^{{}}"),
        format!("refs/tags/{revision}"),
        format!("refs/heads/{revision}"),
        revision.to_owned(),
    ];
    order
        .iter()
        .find_map(|name| {
            lines.iter().find(|(_, known)| known == name).map(|(commit, _)| (*commit).to_owned())
        })
        .ok_or_else(|| PackageError::NoSuchVersion {
            name: url.to_owned(),
            wanted: revision.to_owned(),
            newest: vec!["none of its branches and tags is called so".to_owned()],
        })
}

/// The chart in the folder `path` at a commit, packed as [`pack`] does: the same bytes for everybody.
pub(super) fn chart(
    world: &dyn World,
    scratch: &Utf8Path,
    url: &str,
    commit: &str,
    path: &str,
) -> Result<Vec<u8>, PackageError> {
    refuse_options(url, commit)?;
    let clone = scratch.join("git").join(ContentDigest::of(url.as_bytes()).hex());
    // Two processes may want the same repository at once, and git's own locks outlive a killed process.
    let held = world.exclusive(&clone.with_extension("lock")).map_err(|error| world_error(&error))?;
    let _gone = world.remove(&clone.join("shallow.lock"));
    if world.kind(&clone.join("HEAD")).is_none() {
        git(world, url, &["init", "--quiet", "--bare", "--template=", clone.as_str()])?;
    }
    let place = format!("--git-dir={clone}");
    let fetch = |arguments: &[&str]| {
        git(world, url, &[&[place.as_str(), "fetch", "--quiet", "--no-tags"], arguments].concat())
    };
    // Some servers hand out the tips of branches and tags only.
    if let Err(refused) = fetch(&["--depth=1", "--", url, commit]) {
        fetch(&["--", url, "+refs/heads/*:refs/stackc/heads/*", "+refs/tags/*:refs/stackc/tags/*"])
            .map_err(|_second| refused)?;
    }
    let folder = Committed { world, url, place }.folder(commit, path)?;
    drop(held);
    let what = || format!("the folder `{path}` of `{}`", without_login(url));
    pack::packed(folder).map_err(|words| PackageError::Malformed { what: what(), words })
}

/// A clone, to read what is committed in it.
struct Committed<'a> {
    world: &'a dyn World,
    url: &'a str,
    place: String,
}

/// A file or a link as a tree lists it.
struct Listed<'a> {
    path: &'a str,
    object: &'a str,
    is_link: bool,
}

impl Committed<'_> {
    /// The folder at `path`, to the byte: `git archive` would apply what the user has set on line endings and attributes.
    fn folder(&self, commit: &str, path: &str) -> Result<pack::Folder, PackageError> {
        let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let name = format!("{commit}:{}", parts.join("/"));
        let tree = self.run(&["rev-parse", "--verify", "--quiet", &name], b"")?;
        if tree.code != Some(0) {
            return Err(PackageError::NoSuchChart {
                name: parts.join("/"),
                source: format!("{}?{commit}", without_login(self.url)),
                near: None,
            });
        }
        let list = self.text(&["ls-tree", "-r", "-l", "-z", "--full-tree", &name], b"")?;
        let list = String::from_utf8(list)
            .map_err(|_not_utf8| self.malformed("the name of a file is not UTF-8".to_owned()))?;
        let (listed, size) =
            listed(&list).ok_or_else(|| self.malformed("git lists its files in another form".to_owned()))?;
        if size > LARGEST {
            return Err(self.malformed(format!("`{path}` holds more than {LARGEST} bytes")));
        }
        let asked: String = listed.iter().flat_map(|entry| [entry.object, "\n"]).collect();
        let answer = self.text(&["cat-file", "--batch"], asked.as_bytes())?;
        let mut rest = answer.as_slice();
        let mut folder = pack::Folder::default();
        for entry in &listed {
            let (bytes, behind) = object(rest, entry.object)
                .ok_or_else(|| self.malformed(format!("git does not give `{}`", entry.path)))?;
            rest = behind;
            let path = Utf8PathBuf::from(entry.path);
            if entry.is_link {
                folder.links.insert(path, String::from_utf8_lossy(bytes).into_owned().into());
            } else {
                folder.files.insert(path, bytes.to_vec());
            }
        }
        Ok(folder)
    }

    fn malformed(&self, words: String) -> PackageError {
        PackageError::Malformed { what: format!("`{}`", without_login(self.url)), words }
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Finished, PackageError> {
        run(self.world, &[&[self.place.as_str()], arguments].concat(), input)
    }

    fn text(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, PackageError> {
        let answer = self.run(arguments, input)?;
        if answer.code == Some(0) { Ok(answer.out) } else { Err(failed(self.url, &answer.err)) }
    }
}

/// The files and links of `git ls-tree -r -l -z`, and their size; submodules are left out.
fn listed(text: &str) -> Option<(Vec<Listed<'_>>, u64)> {
    let (mut found, mut sum) = (Vec::new(), 0);
    for line in text.split_terminator('\0') {
        let (facts, path) = line.split_once('\t')?;
        let mut facts = facts.split_ascii_whitespace();
        let (mode, kind, object, size) = (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
        if kind == "blob" {
            sum += size.parse::<u64>().ok()?;
            found.push(Listed { path, object, is_link: mode == "120000" });
        }
    }
    Some((found, sum))
}

/// The first object of what `git cat-file --batch` answers, and what is behind it.
fn object<'a>(answer: &'a [u8], name: &str) -> Option<(&'a [u8], &'a [u8])> {
    let (head, rest) = answer.split_at_checked(memchr::memchr(b'\n', answer)?)?;
    let size = std::str::from_utf8(head).ok()?.strip_prefix(name)?.strip_prefix(" blob ")?.parse().ok()?;
    let (bytes, behind) = rest.get(1..)?.split_at_checked(size)?;
    Some((bytes, behind.strip_prefix(b"\n")?))
}

/// Tags of the repository that are versions as the revision is one: what is before its first digit stays the same.
pub(super) fn sibling_tags(
    world: &dyn World,
    url: &str,
    revision: &str,
) -> Result<Vec<String>, PackageError> {
    refuse_options(url, revision)?;
    let revision = revision.strip_prefix("refs/tags/").unwrap_or(revision);
    let prefix = &revision[..revision.find(|c: char| c.is_ascii_digit()).unwrap_or(revision.len())];
    let text = git(world, url, &["ls-remote", "--tags", "--refs", "--", url])?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('\t')?.1.strip_prefix("refs/tags/")?.strip_prefix(prefix))
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect())
}

fn refuse_options(url: &str, revision: &str) -> Result<(), PackageError> {
    if holds_login(url) {
        return Err(PackageError::Login(without_login(url)));
    }
    // `ext::` runs programs; a leading dash would be read as an option.
    let odd = url.starts_with('-')
        || url.starts_with("ext::")
        || revision.starts_with('-')
        || url.contains(char::is_control);
    if odd { Err(PackageError::Url(url.to_owned())) } else { Ok(()) }
}

/// A command that may ask a server: it asks the user nothing.
fn git(world: &dyn World, url: &str, arguments: &[&str]) -> Result<String, PackageError> {
    let quiet: &[&str] =
        if asks_by_itself(world) { &["-c", "core.sshCommand=ssh -oBatchMode=yes"] } else { &[] };
    let answer = run(world, &[quiet, arguments].concat(), b"")?;
    if answer.code == Some(0) {
        Ok(String::from_utf8_lossy(&answer.out).into_owned())
    } else {
        Err(failed(url, &answer.err))
    }
}

/// Whether the user has left the choice of `ssh` to git.
fn asks_by_itself(world: &dyn World) -> bool {
    let chosen = |name| world.variable(name).is_some_and(|value| !value.is_empty());
    !chosen("GIT_SSH_COMMAND")
        && !chosen("GIT_SSH")
        && world
            .execute("git", &["config", "--get", "core.sshCommand"], b"")
            .is_ok_and(|answer| answer.out.is_empty())
}

fn run(world: &dyn World, arguments: &[&str], input: &[u8]) -> Result<Finished, PackageError> {
    let mut full = vec![
        "-c",
        "protocol.ext.allow=never",
        "-c",
        "core.askPass=true",
        "-c",
        "credential.interactive=false",
        "-c",
        "core.hooksPath=/dev/null",
    ];
    full.extend_from_slice(arguments);
    world.execute("git", &full, input).map_err(|error| match error {
        WorldError::Missing(_) => {
            PackageError::World("the program `git` is needed for sources in Git".to_owned())
        }
        other @ WorldError::Failed(..) => world_error(&other),
    })
}

fn world_error(error: &WorldError) -> PackageError {
    PackageError::World(error.to_string())
}

fn failed(url: &str, words: &str) -> PackageError {
    let words = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("git failed").trim();
    PackageError::Exchange { url: without_login(url), words: without_login(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_do_not_reach_messages() {
        assert_eq!(
            without_login("fatal: 'https://u:p@h.org/x' not found"),
            "fatal: 'https://h.org/x' not found"
        );
        assert_eq!(without_login("ssh://git@h.org/x"), "ssh://h.org/x");
        assert!(refuse_options("https://token@h.org/x", "v1").is_err());
        assert!(refuse_options("ssh://git:pw@h.org/x", "v1").is_err());
        assert!(refuse_options("ssh://git@h.org/x", "v1").is_ok());
        assert!(refuse_options("git@h.org:x", "v1").is_ok());
        assert!(refuse_options("https://h.org/x", "--upload-pack=x").is_err());
    }

    #[test]
    fn what_git_lists_and_answers_is_read_to_the_byte() {
        let (found, size) = listed(
            "100644 blob aa       3\ta b.yaml\x00120000 blob bb       1\tl\x00160000 commit cc       -\tsub\x00",
        )
        .expect("a list");
        let facts: Vec<_> = found.iter().map(|entry| (entry.path, entry.object, entry.is_link)).collect();
        assert_eq!((facts, size), (vec![("a b.yaml", "aa", false), ("l", "bb", true)], 4));
        assert!(listed("nothing of the kind").is_none());
        let answer = b"aa blob 3\nx\n\0\nbb blob 0\n\n";
        let (bytes, rest) = object(answer, "aa").expect("an object");
        assert_eq!(bytes, b"x\n\0");
        assert_eq!(object(rest, "bb"), Some((b"".as_slice(), b"".as_slice())));
        assert_eq!(object(b"aa missing\n", "aa"), None);
        assert_eq!(object(b"aa blob 9\nx\n", "aa"), None);
    }
}
