//! Charts packed by stackc itself: those of Git, which come as a folder.
//!
//! The bytes depend on the files alone: sorted, no times, no owners, and a gzip that stores what it is given, so that
//! the digest in the lock is the same on every machine and with every version of a compressor. Helm reads them.

use crate::helm::chart::ChartFile;
use crate::helm::chart::folder::read_folder;
use crate::world::chart::ChartDisk;
use crate::world::memory::MemoryWorld;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// What a folder of a repository may hold.
pub(super) const LARGEST: u64 = 100 * 1024 * 1024;
const BLOCK: usize = 512;

/// A folder as it is committed, paths from itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    /// Its files.
    pub(super) files: BTreeMap<Utf8PathBuf, Vec<u8>>,
    /// Its links, and what they say.
    pub(super) links: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
}

/// A chart's folder as a package: links inside the folder followed, `.helmignore` obeyed.
pub(super) fn packed(folder: Folder) -> Result<Vec<u8>, String> {
    let Folder { mut files, links } = folder;
    for (path, target) in &links {
        let linked = behind(path, target, &links)
            .and_then(|end| files.get(&end).cloned())
            .ok_or_else(|| format!("`{path}` is a link to `{target}`, which is no file of the chart"))?;
        files.insert(path.clone(), linked);
    }
    let name = name_of(&files)?;
    let world = files
        .iter()
        .fold(MemoryWorld::new(), |world, (path, bytes)| world.with(&format!("{name}/{path}"), bytes));
    let kept = read_folder(&ChartDisk(&world), Utf8Path::new(&name)).map_err(|error| error.to_string())?;
    pack(&name, kept)
}

/// The file that a link leads to in the end, if it stays in the folder.
fn behind(
    path: &Utf8Path,
    target: &Utf8Path,
    links: &BTreeMap<Utf8PathBuf, Utf8PathBuf>,
) -> Option<Utf8PathBuf> {
    let mut path = path.to_owned();
    let mut target = target;
    for _ in 0..16 {
        let mut parts: Vec<&str> = path.parent()?.components().map(|part| part.as_str()).collect();
        for part in target.as_str().split('/') {
            match part {
                "." => {}
                ".." => {
                    parts.pop()?;
                }
                // An absolute target.
                "" => return None,
                other => parts.push(other),
            }
        }
        path = parts.into_iter().collect();
        match links.get(&path) {
            Some(next) => target = next,
            None => return Some(path),
        }
    }
    None
}

/// The chart's own name, which is the folder that its files lie in.
fn name_of(files: &BTreeMap<Utf8PathBuf, Vec<u8>>) -> Result<String, String> {
    let text = files.get(Utf8Path::new("Chart.yaml")).ok_or("it holds no `Chart.yaml`")?;
    let file = crate::source::Sources::new().add("Chart.yaml", "");
    let document = crate::yaml::read(file, &String::from_utf8_lossy(text), crate::yaml::Options::LENIENT)
        .map_err(|error| format!("`Chart.yaml`: {}", error.go_message()))?;
    let name = document.get("name").and_then(crate::value::Node::as_str).unwrap_or_default();
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
        return Err(format!("`Chart.yaml` names the chart `{name}`"));
    }
    Ok(name.to_owned())
}

fn pack(name: &str, mut files: Vec<ChartFile>) -> Result<Vec<u8>, String> {
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut tar = tar::Builder::new(Vec::new());
    for file in &files {
        let mut header = tar::Header::new_ustar();
        header.set_size(file.data.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, format!("{name}/{}", file.name), &*file.data)
            .map_err(|error| error.to_string())?;
    }
    let plain = tar.into_inner().map_err(|error| error.to_string())?;
    debug_assert_eq!(plain.len() % BLOCK, 0);
    Ok(stored(&plain))
}

/// A gzip of stored blocks (RFC 1951, 3.2.4).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).expect("a chunk is no longer than its limit");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::chart::archive::{Budget, read};

    fn folder(files: &[(&str, &str)], links: &[(&str, &str)]) -> Folder {
        Folder {
            files: files.iter().map(|(name, text)| ((*name).into(), text.as_bytes().to_vec())).collect(),
            links: links.iter().map(|(name, target)| ((*name).into(), (*target).into())).collect(),
        }
    }

    const CHART: &str = "apiVersion: v2\nname: own\nversion: 1.0.0\n";

    #[test]
    fn bytes_come_from_the_files_alone_and_the_loader_reads_them() {
        let files = [
            ("Chart.yaml", CHART),
            ("templates/a.yaml", "a: 1\n"),
            (".helmignore", "*.md\n"),
            ("b.md", "no"),
        ];
        let links = [("values.yaml", "defaults/./v.yaml")];
        let more: Vec<_> = files.into_iter().chain([("defaults/v.yaml", "x: 1\n")]).collect();
        let one = packed(folder(&more, &links)).expect("a chart");
        let found = read(&one, &mut Budget::default()).expect("an archive");
        let names: Vec<&str> = found.iter().map(|file| &*file.name).collect();
        assert_eq!(
            names,
            [".helmignore", "Chart.yaml", "defaults/v.yaml", "templates/a.yaml", "values.yaml"]
        );
        assert_eq!(&*found[4].data, b"x: 1\n");
    }

    #[test]
    fn a_large_file_is_stored_in_blocks() {
        let large = "x: 1234567\n".repeat(20_000);
        let bytes = packed(folder(&[("Chart.yaml", CHART), ("values.yaml", &large)], &[])).expect("a chart");
        let found = read(&bytes, &mut Budget::default()).expect("an archive");
        assert_eq!(&*found[1].data, large.as_bytes());
    }

    #[test]
    fn links_out_of_the_chart_are_refused() {
        for target in ["../other", "/etc/passwd", "nowhere", "values.yaml"] {
            let words =
                packed(folder(&[("Chart.yaml", CHART)], &[("values.yaml", target)])).expect_err(target);
            assert!(words.contains("is a link to"), "{words}");
        }
        assert!(packed(folder(&[("x", "")], &[])).expect_err("no chart").contains("Chart.yaml"));
    }
}
