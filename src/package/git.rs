//! Charts in Git repositories, through the `git` program: its credentials, proxies and protocols are the user's own.

use super::address::{holds_login, without_login};
use super::{ContentDigest, PackageError, pack};
use crate::world::{World, WorldError};
use camino::Utf8Path;

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
        git(world, url, &["init", "--quiet", "--bare", clone.as_str()])?;
    }
    let fetch = |arguments: &[&str]| {
        let mut full = vec!["-C", clone.as_str(), "fetch", "--quiet", "--no-tags"];
        full.extend_from_slice(arguments);
        git(world, url, &full)
    };
    // Some servers hand out the tips of branches and tags only.
    if let Err(refused) = fetch(&["--depth=1", "--", url, commit]) {
        fetch(&["--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])
            .map_err(|_second| refused)?;
    }
    let answer = run(world, &["-C", clone.as_str(), "archive", "--format=tar", &format!("{commit}:{path}")])?;
    drop(held);
    if answer.code != Some(0) {
        return Err(failed(url, &answer.err));
    }
    let what = || format!("the folder `{path}` of `{}`", without_login(url));
    pack::packed(&answer.out).map_err(|words| PackageError::Malformed { what: what(), words })
}

/// Tags of the repository that are versions as the revision is one: what is before its first digit stays the same.
pub(super) fn sibling_tags(
    world: &dyn World,
    url: &str,
    revision: &str,
) -> Result<Vec<String>, PackageError> {
    refuse_options(url, revision)?;
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

fn git(world: &dyn World, url: &str, arguments: &[&str]) -> Result<String, PackageError> {
    let answer = run(world, arguments)?;
    if answer.code == Some(0) {
        Ok(String::from_utf8_lossy(&answer.out).into_owned())
    } else {
        Err(failed(url, &answer.err))
    }
}

fn run(world: &dyn World, arguments: &[&str]) -> Result<crate::world::net::Finished, PackageError> {
    let mut full = vec![
        "-c",
        "protocol.ext.allow=never",
        "-c",
        "core.askPass=true",
        "-c",
        "credential.interactive=false",
    ];
    full.extend_from_slice(arguments);
    world.execute("git", &full, b"").map_err(|error| match error {
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
}
