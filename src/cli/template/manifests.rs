//! Manifests on standard output, or in files below `--output-dir`.

use super::{Failed, Run};
use crate::helm::chart::dependencies::Instance;
use crate::helm::context::ReleaseInfo;
use crate::helm::output::{RenderedFile, Sorted, pieces, show_only, write_document};
use crate::helm::unicode;
use crate::world::chart::words;
use camino::Utf8PathBuf;
use indexmap::IndexMap;

impl Run<'_> {
    /// Prints a rendered chart as the flags want it.
    pub(super) fn print(
        &mut self,
        sorted: &Sorted,
        instance: &Instance,
        release: &ReleaseInfo,
    ) -> Result<(), Failed> {
        let folder = self.flags.last("output-dir").filter(|folder| !folder.is_empty()).map(Utf8PathBuf::from);
        let with_crds = self.flags.is_on("include-crds");
        let crds = if with_crds { instance.crds() } else { Vec::new() };
        let skip_tests = self.flags.is_on("skip-tests");
        let all_hooks = if self.flags.is_on("no-hooks") { &[][..] } else { &sorted.hooks[..] };
        let hooks: Vec<_> = all_hooks.iter().filter(|hook| !(skip_tests && hook.is_test)).collect();
        let patterns = self.flags.all("show-only");
        let mut stream = Vec::new();
        if let Some(folder) = folder {
            let released =
                if self.flags.is_on("release-name") { folder.join(&release.name) } else { folder.clone() };
            let mut files = Files::default();
            for (path, file) in &crds {
                files.write(folder.join(path), path, &file.data);
            }
            for manifest in &sorted.manifests {
                let path = sorted.path(manifest);
                files.write(released.join(path), path, sorted.bytes(manifest));
            }
            for hook in &hooks {
                let path = sorted.path(hook);
                // Hooks are added to a file that is there, whoever made it (helm 4.2.4 `pkg/cmd/template.go`).
                let target = released.join(path);
                if !files.content.contains_key(&target)
                    && let Ok(before) = self.world.read(&target)
                {
                    files.content.insert(target.clone(), before);
                }
                files.write(target, path, sorted.bytes(hook));
            }
            for (path, content) in &files.content {
                self.world.write(path, content).map_err(|error| words(&error))?;
            }
            self.outcome.stdout = files.log.into_bytes();
            stream.push(b'\n');
        } else {
            let plain = crds.iter().map(|(path, file)| (path.as_str(), &*file.data));
            let plain = plain.chain(sorted.manifests.iter().map(|m| (sorted.path(m), sorted.bytes(m))));
            let hooks = hooks.iter().map(|hook| (sorted.path(hook), sorted.bytes(hook)));
            if patterns.is_empty() {
                write_stream(plain, hooks, self.out);
                return Ok(());
            }
            write_stream(plain, hooks, &mut |bytes| stream.extend_from_slice(bytes));
        }
        if patterns.is_empty() {
            self.outcome.stdout.append(&mut stream);
        } else {
            let shown = show_only(&stream, patterns, self.profile)?;
            self.outcome.stdout.extend_from_slice(&shown);
        }
        Ok(())
    }

    /// What `--debug` prints where a manifest is no YAML: everything, as it was rendered.
    pub(super) fn print_broken(&mut self, files: &[RenderedFile]) {
        let mut files: Vec<&RenderedFile> =
            files.iter().filter(|file| !file.path.ends_with("NOTES.txt")).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut stream = Vec::new();
        for file in files.iter().filter(|file| !file.bytes.trim_ascii().is_empty()) {
            write_document(&mut stream, &file.path, &file.bytes);
        }
        self.outcome.stdout = [unicode::trim(&stream), b"\n"].concat();
    }
}

/// The files of `--output-dir`.
#[derive(Default)]
struct Files {
    content: IndexMap<Utf8PathBuf, Vec<u8>>,
    log: String,
}

impl Files {
    fn write(&mut self, target: Utf8PathBuf, path: &str, content: &[u8]) {
        self.log.push_str(&format!("wrote {target}\n"));
        write_document(self.content.entry(target).or_default(), path, content);
    }
}

/// Manifests, of which the last one loses the white space at its end, then hooks.
fn write_stream<'a>(
    manifests: impl Iterator<Item = (&'a str, &'a [u8])>,
    hooks: impl Iterator<Item = (&'a str, &'a [u8])>,
    out: &mut (dyn FnMut(&[u8]) + Send),
) {
    let mut last = None;
    for next in manifests {
        if let Some((path, content)) = last.replace(next) {
            pieces(path, content).into_iter().for_each(&mut *out);
        }
    }
    if let Some((path, content)) = last {
        out(unicode::trim(&pieces(path, content).concat()));
    }
    out(b"\n");
    for (path, content) in hooks {
        pieces(path, content).into_iter().for_each(&mut *out);
    }
}
