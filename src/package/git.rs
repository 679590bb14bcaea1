//! Charts in Git repositories, through the `git` program: its credentials, proxies and protocols are the user's own.

use super::{ContentDigest, PackageError};
use crate::world::{World, WorldError};
use camino::Utf8PathBuf;

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

/// The folder `path` at a commit, as the bytes of an uncompressed tar: the same for everybody.
pub(super) fn archive(
    world: &dyn World,
    scratch: &Utf8PathBuf,
    url: &str,
    commit: &str,
    path: &str,
) -> Result<Vec<u8>, PackageError> {
    refuse_options(url, commit)?;
    let clone = scratch.join("git").join(ContentDigest::of(url.as_bytes()).hex());
    let clone = clone.as_str();
    if world.kind(&Utf8PathBuf::from(clone).join("HEAD")).is_none() {
        git(world, url, &["init", "--quiet", "--bare", clone])?;
    }
    git(world, url, &["-C", clone, "fetch", "--quiet", "--depth=1", "--", url, commit])?;
    let tree = if path.is_empty() { commit.to_owned() } else { format!("{commit}:{path}") };
    let answer = run(world, &["-C", clone, "-c", "tar.umask=0022", "archive", "--format=tar", &tree])?;
    if answer.code == Some(0) { Ok(answer.out) } else { Err(failed(url, &answer.err)) }
}

fn refuse_options(url: &str, revision: &str) -> Result<(), PackageError> {
    // `ext::` runs programs; a leading dash would be read as an option.
    let odd =
        url.starts_with('-') || url.starts_with("ext::") || revision.starts_with('-') || url.contains('\n');
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
        other @ WorldError::Failed(..) => PackageError::World(other.to_string()),
    })
}

fn failed(url: &str, words: &str) -> PackageError {
    let words = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("git failed").trim();
    PackageError::Exchange { url: without_login(url), words: without_login(words) }
}

/// Takes user info out of every URL in a text.
fn without_login(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end = tail.find(['/', ' ', '\'', '"']).unwrap_or(tail.len());
        let authority = &tail[..end];
        out.push_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        rest = &tail[end..];
    }
    out + rest
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
    }
}
