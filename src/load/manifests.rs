//! Plain manifests: files and folders of Kubernetes YAML, each read once for all environments.

use super::document;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::model::flatten;
use crate::source::{Sources, Span};
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
    /// Folders in folders without an end: a link leads back.
    Endless,
}

/// How deep folders of manifests nest at most.
const MAX_DEPTH: usize = 32;

impl ManifestFiles {
    /// The objects in a file, or in the `*.yaml`, `*.yml` and `*.json` files of a folder in the order of their names,
    /// those of folders in it at the place of the folder's name. Empty documents are left out, a `List` gives its
    /// items; what starts with a dot is not looked at.
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
        let files = files(world, path)?;
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
            let read = read.and_then(|(documents, span)| {
                match documents.iter().find(|document| is_kustomization(path, document)) {
                    Some(document) => Err(own.report(kustomization(path, document.span().unwrap_or(span)))),
                    None => Ok(documents),
                }
            });
            let objects = read.map(|documents| {
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

/// The objects at a path of which no project knows, wherever it leads; `-` is the standard input. What kustomize reads
/// beside them is left out.
pub(crate) fn loose(
    world: &dyn World,
    path: &Utf8Path,
    sources: &Sources,
    sink: &mut Sink,
) -> Result<Result<Vec<Node>, Reported>, PathError> {
    if path == "-" {
        let bytes = world
            .standard_input()
            .map_err(|error| sink.report(Diagnostic::error(codes::UNREADABLE_FILE, error.to_string())));
        return Ok(bytes.and_then(|bytes| document::all("standard input", &bytes, sources, sink)).map(flat));
    }
    let mut objects = Vec::new();
    let mut told = None;
    for file in files(world, path)? {
        let read = document::bytes(world, &file, sink)
            .and_then(|bytes| document::all(file.as_str(), &bytes, sources, sink));
        match read {
            Ok((documents, span)) => {
                let own =
                    documents.into_iter().filter(|document| !is_kustomization(&file, document)).collect();
                objects.extend(flat((own, span)));
            }
            Err(reported) => told = Some(reported),
        }
    }
    Ok(told.map_or(Ok(objects), Err))
}

fn flat((documents, _): (Vec<Node>, Span)) -> Vec<Node> {
    let mut objects = Vec::new();
    for document in documents {
        flatten(document, &mut objects);
    }
    objects
}

/// The file at a path, or the files of the folder there.
fn files(world: &dyn World, path: &Utf8Path) -> Result<Vec<Utf8PathBuf>, PathError> {
    match world.kind(path) {
        Some(EntryKind::File) => Ok(vec![path.to_owned()]),
        Some(EntryKind::Folder) => {
            let mut files = Vec::new();
            below(world, path, 0, &mut files)?;
            if files.is_empty() { Err(PathError::Empty) } else { Ok(files) }
        }
        _ => Err(PathError::Missing),
    }
}

/// The files of a folder and of those in it, in the order of their names.
fn below(
    world: &dyn World,
    folder: &Utf8Path,
    depth: usize,
    files: &mut Vec<Utf8PathBuf>,
) -> Result<(), PathError> {
    if depth > MAX_DEPTH {
        return Err(PathError::Endless);
    }
    let data = |name: &str| [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
    for entry in world.list(folder).unwrap_or_default() {
        let path = folder.join(&entry.name);
        match entry.kind {
            _ if entry.name.starts_with('.') => {}
            EntryKind::Folder => below(world, &path, depth + 1, files)?,
            EntryKind::File if data(&entry.name) => files.push(path),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a document is kustomize's own: its file need not say a kind.
fn is_kustomization(path: &Utf8Path, document: &Node) -> bool {
    let named = matches!(path.file_name(), Some("kustomization.yaml" | "kustomization.yml"));
    named
        && document.as_map().is_some()
        && document.get("metadata").and_then(|node| node.get("name")).is_none()
}

fn kustomization(path: &Utf8Path, span: Span) -> Diagnostic {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    Diagnostic::error(
        codes::INVALID_OBJECT,
        format!("`{path}` is no object: it says how files are put together"),
    )
    .at(span.head(), "")
    .help(format!(
        "keep the output of `kubectl kustomize {folder}` as the manifest, or move the file out of the folder"
    ))
}
