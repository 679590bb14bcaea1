//! Plain manifests: files and folders of Kubernetes YAML, each read once for all environments.

use super::document;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::model::flatten;
use crate::source::Sources;
use crate::value::Node;
use crate::world::{EntryKind, World};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The objects of one file.
type Objects = Arc<Vec<Node>>;

type Cell = Arc<OnceLock<(Option<Objects>, Vec<Diagnostic>)>>;

/// The manifests that were read so far.
#[derive(Debug, Default)]
pub struct ManifestFiles {
    files: Mutex<BTreeMap<Utf8PathBuf, Cell>>,
}

/// Why a path cannot hold manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathError {
    /// It leaves the project.
    Outside,
    /// Nothing is there.
    Missing,
    /// A folder without YAML.
    Empty,
}

impl ManifestFiles {
    /// The objects in a file, or in the `*.yaml`, `*.yml` and `*.json` files of a folder in the order of their names.
    /// Empty documents are left out, a `List` gives its items.
    pub(crate) fn objects(
        &self,
        world: &dyn World,
        path: &Utf8Path,
        sources: &Sources,
        sink: &mut Sink,
    ) -> Result<Result<Vec<Objects>, Reported>, PathError> {
        let outside = |part| {
            matches!(part, Utf8Component::ParentDir | Utf8Component::RootDir | Utf8Component::Prefix(_))
        };
        if path.components().any(outside) {
            return Err(PathError::Outside);
        }
        let files = match world.kind(path) {
            Some(EntryKind::File) => vec![path.to_owned()],
            Some(EntryKind::Folder) => {
                let entries = world.list(path).unwrap_or_default();
                let data = |name: &str| [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
                entries
                    .into_iter()
                    .filter(|entry| entry.kind == EntryKind::File && data(&entry.name))
                    .map(|entry| path.join(entry.name))
                    .collect()
            }
            _ => return Err(PathError::Missing),
        };
        if files.is_empty() {
            return Err(PathError::Empty);
        }
        let read: Vec<_> = files.iter().map(|file| self.file(world, file, sources, sink)).collect();
        Ok(read.into_iter().collect())
    }

    fn file(
        &self,
        world: &dyn World,
        path: &Utf8Path,
        sources: &Sources,
        sink: &mut Sink,
    ) -> Result<Arc<Vec<Node>>, Reported> {
        let cell = {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(files.entry(path.to_owned()).or_default())
        };
        let (found, findings) = cell.get_or_init(|| {
            let mut own = Sink::new();
            let read = document::bytes(world, path, &mut own)
                .and_then(|bytes| document::all(path.as_str(), &bytes, sources, &mut own));
            let objects = read.map(|(documents, _)| {
                let mut objects = Vec::new();
                for document in documents {
                    flatten(document, &mut objects);
                }
                Arc::new(objects)
            });
            (objects.ok(), own.into_found())
        });
        let mut told = None;
        for finding in findings {
            told = Some(sink.report(finding.clone()));
        }
        match (found, told) {
            (Some(objects), _) => Ok(Arc::clone(objects)),
            (None, Some(told)) => Err(told),
            (None, None) => {
                let fact = format!("`{path}` could not be read, without a reason");
                Err(sink.report(Diagnostic::error(codes::INTERNAL, fact)))
            }
        }
    }
}
