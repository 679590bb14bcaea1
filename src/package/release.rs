//! Releases that the address of a file names: `https://github.com/OWNER/PROJECT/releases/download/TAG/FILE` and its kin.
//!
//! Only what the address itself says counts: a file at any other address has no version that stackc could know.

use crate::helm::semver::Version;

/// The repository and the tag that an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tagged<'a> {
    /// Where its tags are.
    repository: Repository<'a>,
    /// The tag of the release.
    pub(super) tag: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repository<'a> {
    At(&'a str),
    OnGithub(&'a str),
}

impl Tagged<'_> {
    /// Where `git` finds the tags.
    pub(super) fn repository(&self) -> String {
        match self.repository {
            Repository::At(url) => url.to_owned(),
            Repository::OnGithub(name) => format!("https://github.com/{name}"),
        }
    }
}

/// What the address of a file says of its release: as GitHub, Forgejo, Gitea and GitLab write it, or raw from GitHub.
pub(super) fn named(url: &str) -> Option<Tagged<'_>> {
    let address = url.split(['?', '#']).next().unwrap_or(url);
    let cut = |between: &str| {
        let (repository, rest) = address.split_once(between)?;
        let (tag, file) = rest.split_once('/')?;
        (!file.is_empty()).then_some(Tagged { repository: Repository::At(repository), tag })
    };
    let raw = || {
        let rest = address.strip_prefix("https://raw.githubusercontent.com/")?;
        let (owner, behind) = rest.split_once('/')?;
        let (project, behind) = behind.split_once('/')?;
        let name = &rest[..owner.len() + 1 + project.len()];
        let (tag, _file) = behind.strip_prefix("refs/tags/").unwrap_or(behind).split_once('/')?;
        Some(Tagged { repository: Repository::OnGithub(name), tag })
    };
    let found = cut("/-/releases/").or_else(|| cut("/releases/download/")).or_else(raw)?;
    version(found.tag).map(|_version| found)
}

/// The version in a tag, and what stands before it: `v` of `v1.2.0`, `chart-` of `chart-1.2.0`.
pub(super) fn version(tag: &str) -> Option<(&str, Version)> {
    let (prefix, version) = tag.split_at(tag.find(|c: char| c.is_ascii_digit())?);
    Some((prefix, Version::parse(version.as_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_releases_name_repository_and_tag() {
        let read = |url: &str| named(url).map(|found| (found.repository(), found.tag.to_owned()));
        let some = |repository: &str, tag: &str| Some((repository.to_owned(), tag.to_owned()));
        assert_eq!(
            read("https://github.com/o/p/releases/download/v1.2.0/install.yaml?x=1"),
            some("https://github.com/o/p", "v1.2.0")
        );
        assert_eq!(
            read("https://codeberg.org/o/p/releases/download/chart-1.2/install.yaml"),
            some("https://codeberg.org/o/p", "chart-1.2")
        );
        assert_eq!(
            read("https://gitlab.example.org/g/s/p/-/releases/1.0.0/downloads/a.yaml"),
            some("https://gitlab.example.org/g/s/p", "1.0.0")
        );
        for path in ["v1.0.0/config/crd.yaml", "refs/tags/v1.0.0/config/crd.yaml"] {
            assert_eq!(
                read(&format!("https://raw.githubusercontent.com/o/p/{path}")),
                some("https://github.com/o/p", "v1.0.0")
            );
        }
        for url in [
            "https://raw.githubusercontent.com/o/p/main/crd.yaml",
            "https://github.com/o/p/releases/latest/download/install.yaml",
            "https://github.com/o/p/releases/download/nightly/install.yaml",
            "https://github.com/o/p/releases/download/v1.2.0",
            "https://example.org/crds.yaml",
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }
}
