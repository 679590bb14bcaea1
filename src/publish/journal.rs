//! The journal: everything that a build writes, in one file, before it writes anything.
//!
//! The journal appears whole or not at all (a rename). While it is there, the files around it may be old or new, and
//! writing all of it again gives the new tree; once it is gone, the tree is new. It is read from a disk where anybody may
//! have put it: nothing outside the folders of environments is written for it, and nothing behind a link.

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::diff::ChangeSet;
use crate::emit::may_hold;
use crate::world::{EntryKind, World, WorldError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// Beside `envs` and `clusters`.
const NAME: &str = ".stackc-journal";
const VERSION: u64 = 1;

/// One file: its bytes, or that it goes.
type Step = (Utf8PathBuf, Option<Vec<u8>>);

pub(super) fn write(changes: &ChangeSet, world: &dyn World) -> Result<(), WorldError> {
    let root = changes.root();
    let steps: Vec<Step> = changes
        .environments()
        .iter()
        .flat_map(super::super::diff::EnvironmentChanges::files)
        .map(|file| (file.path.clone(), file.after.clone()))
        .collect();
    refuse_links(root, &steps, world)?;
    world.write(&root.join(NAME), &encode(&steps))?;
    carry_out(root, &steps, world)
}

/// Removes and writes what a journal says, then removes the journal itself.
fn carry_out(root: &Utf8Path, steps: &[Step], world: &dyn World) -> Result<(), WorldError> {
    let mut emptied: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for (path, _) in steps.iter().filter(|(_, bytes)| bytes.is_none()) {
        world.remove(&root.join(path))?;
        // The folder of the environment, two levels down, stays.
        emptied.extend(
            path.ancestors().skip(1).filter(|folder| folder.components().count() > 2).map(Utf8Path::to_owned),
        );
    }
    for folder in emptied.iter().rev() {
        world.remove_empty_folder(&root.join(folder))?;
    }
    for (path, bytes) in steps {
        if let Some(bytes) = bytes {
            world.keep(&root.join(path), bytes)?;
        }
    }
    world.remove(&root.join(NAME))
}

/// Refuses steps that would follow a link out of the tree.
fn refuse_links(root: &Utf8Path, steps: &[Step], world: &dyn World) -> Result<(), WorldError> {
    let Ok(real) = world.real_path(root) else { return Ok(()) };
    let folders: BTreeSet<&Utf8Path> = steps.iter().flat_map(|(path, _)| path.ancestors().skip(1)).collect();
    for folder in folders.into_iter().filter(|folder| !folder.as_str().is_empty()) {
        let path = root.join(folder);
        if world.real_path(&path).is_ok_and(|found| found != real.join(folder)) {
            let words = "it is a link, and files of a tree are written below their folder only".to_owned();
            return Err(WorldError::Failed(path, words));
        }
    }
    Ok(())
}

/// Whether a build was interrupted while it wrote.
pub(super) fn is_pending(root: &Utf8Path, world: &dyn World) -> bool {
    world.kind(&root.join(NAME)).is_some()
}

/// Carries out a journal that is still there.
pub(super) fn complete(root: &Utf8Path, world: &dyn World, sink: &mut Sink) -> Result<bool, Reported> {
    let path = root.join(NAME);
    let bytes = match world.read(&path) {
        Ok(bytes) => bytes,
        Err(WorldError::Missing(_)) => {
            // A build that was killed while it wrote its journal left a part of it.
            sweep_folder(root, world);
            return Ok(false);
        }
        Err(error) => return Err(sink.report(Diagnostic::error(codes::UNREADABLE_FILE, error.to_string()))),
    };
    let Some(steps) = decode(&bytes) else {
        return Err(sink.report(
            Diagnostic::error(
                codes::DAMAGED_JOURNAL,
                format!("the journal `{path}` of an interrupted build is damaged"),
            )
            .help("delete it, and build again: every file of the output is then compared anew"),
        ));
    };
    let possible = refuse_links(root, &steps, world);
    if possible.is_ok() {
        sweep(root, &steps, world);
    }
    possible
        .and_then(|()| carry_out(root, &steps, world))
        .map_err(|error| sink.report(super::unwritten(&error)))?;
    Ok(true)
}

/// Removes what a killed write left beside its file.
fn sweep(root: &Utf8Path, steps: &[Step], world: &dyn World) {
    let folders: BTreeSet<&Utf8Path> = steps.iter().filter_map(|(path, _)| path.parent()).collect();
    for folder in folders {
        sweep_folder(&root.join(folder), world);
    }
}

fn sweep_folder(folder: &Utf8Path, world: &dyn World) {
    for entry in world.list(folder).unwrap_or_default() {
        let left = entry.name.starts_with('.')
            && entry.name.rsplit_once(".stackc-").is_some_and(|(_, process)| {
                !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit())
            });
        if left && entry.kind == EntryKind::File {
            // Left-overs do no harm: the next build tries again.
            let _harmless = world.remove(&folder.join(entry.name)).is_ok();
        }
    }
}

fn encode(steps: &[Step]) -> Vec<u8> {
    let steps: Vec<serde_json::Value> = steps
        .iter()
        .map(|(path, bytes)| {
            serde_json::json!({"path": path.as_str(), "bytes": bytes.as_ref().map(|bytes| STANDARD.encode(bytes))})
        })
        .collect();
    serde_json::json!({"version": VERSION, "steps": steps}).to_string().into_bytes()
}

fn decode(bytes: &[u8]) -> Option<Vec<Step>> {
    let journal: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    if journal.get("version")?.as_u64()? != VERSION {
        return None;
    }
    journal
        .get("steps")?
        .as_array()?
        .iter()
        .map(|step| {
            let path = Utf8PathBuf::from(step.get("path")?.as_str()?);
            let bytes = match step.get("bytes")? {
                serde_json::Value::Null => None,
                text => Some(STANDARD.decode(text.as_str()?).ok()?),
            };
            may_hold(&path, None).then_some((path, bytes))
        })
        .collect()
}
