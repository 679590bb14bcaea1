//! `root -> Project`: every document read once, with its places, as it is written.
//!
//! What environments share (stacks, schemas, bases) is read once and shared by all of them, so that a thousand
//! overlays cost a thousand times one overlay. Nothing is merged or evaluated here; refused are files that are
//! missing, unreadable or of the wrong shape.

mod capability;
mod document;
mod editor;
mod encrypted;
pub(crate) mod fields;
mod header;
mod library;
mod manifests;
mod overlay;
mod project_file;
pub(crate) mod stack;

pub use capability::{Capabilities, Capability};
pub use editor::{PROJECT_SCHEMA, overlay_schema};
pub(crate) use encrypted::is_plain;
pub use header::API_VERSION;
pub use library::{SYNTHETIC_STACKS, embedded, embedded_files, embedded_stacks};
pub use manifests::ManifestFiles;
pub(crate) use manifests::PathError;
pub(crate) use manifests::loose;
pub use overlay::OverlayDocument;
pub(crate) use overlay::SPEC;
pub use project_file::ProjectFile;
pub(crate) use project_file::{named as named_source, source as chart_source};
pub use stack::{Check, Guard, Offer, Requirement, Rule, Stack};

use crate::diag::{Diagnostic, Reported, Sink, codes, did_you_mean};
use crate::model::EncryptedFile;
use crate::schema::Schema;
use crate::source::Sources;
use crate::value::Node;
use crate::world::{EntryKind, World, WorldError};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// Which environments are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Every `overlays/*/overlay.yaml`.
    #[default]
    All,
    /// These.
    Named(Vec<String>),
}

/// A project as it is written.
#[derive(Debug)]
pub struct Project {
    file: ProjectFile,
    environments: Vec<Arc<EnvironmentDocuments>>,
    environment_names: Vec<Arc<str>>,
    library: Library,
    manifests: ManifestFiles,
}

/// The documents of one environment.
#[derive(Debug)]
pub struct EnvironmentDocuments {
    /// Its name.
    pub name: Arc<str>,
    /// Its own overlay.
    pub overlay: Arc<OverlayDocument>,
    /// Its bases, in the order in which they apply; shared by environments with the same ones.
    pub bases: Arc<Bases>,
    /// The encrypted files of its folder and its bases' folders.
    pub encrypted: Vec<EncryptedFile>,
}

/// A list of bases, and what they merge to, once that has been asked for.
#[derive(Debug, Default)]
pub struct Bases {
    /// In the order in which they apply.
    pub documents: Vec<Arc<OverlayDocument>>,
    /// Their merged `spec`, with what was found while merging.
    pub(crate) merged: OnceLock<(Arc<Node>, Vec<Diagnostic>)>,
}

/// The stacks that can be used.
#[derive(Debug)]
pub struct Library {
    slots: BTreeMap<Arc<str>, Slot>,
    capabilities: Capabilities,
}

#[derive(Debug)]
struct Slot {
    embedded: bool,
    /// The texts of the project's own files, with their paths.
    stack: Option<(Utf8PathBuf, Arc<[u8]>)>,
    schema: Option<(Utf8PathBuf, Arc<[u8]>)>,
    read: OnceLock<(Option<Arc<Stack>>, Vec<Diagnostic>)>,
}

impl Project {
    /// The project's own document.
    pub fn file(&self) -> &ProjectFile {
        &self.file
    }

    /// The environments that were asked for, sorted by name.
    pub fn environments(&self) -> &[Arc<EnvironmentDocuments>] {
        &self.environments
    }

    /// The names of all environments of the project, sorted.
    pub fn environment_names(&self) -> &[Arc<str>] {
        &self.environment_names
    }

    /// The stacks that can be used.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// What stacks can give to each other.
    pub fn capabilities(&self) -> &Capabilities {
        &self.library.capabilities
    }

    /// Plain manifests of the project, read when they are asked for.
    pub fn manifests(&self) -> &ManifestFiles {
        &self.manifests
    }
}

impl Library {
    /// The names of all stacks, sorted; the two that need no definition are among them.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> + Clone {
        self.slots.keys()
    }

    /// A stack; `None` where there is none of that name or it is broken, which [`load`] has told for stacks that
    /// an overlay uses and for those of the project.
    pub fn stack(&self, name: &str, sources: &Sources) -> Option<&Arc<Stack>> {
        self.read(name, sources).0.as_ref()
    }

    /// What is wrong with a stack.
    pub fn findings(&self, name: &str, sources: &Sources) -> &[Diagnostic] {
        &self.read(name, sources).1
    }

    /// Whether there is a stack of that name, broken or not.
    pub fn contains(&self, name: &str) -> bool {
        self.slots.contains_key(name)
    }

    fn read(&self, name: &str, sources: &Sources) -> &(Option<Arc<Stack>>, Vec<Diagnostic>) {
        static NONE: (Option<Arc<Stack>>, Vec<Diagnostic>) = (None, Vec::new());
        let Some((name, slot)) = self.slots.get_key_value(name) else { return &NONE };
        slot.read.get_or_init(|| {
            let mut sink = Sink::new();
            let stack = slot.open(name, &self.capabilities, sources, &mut sink).ok().map(Arc::new);
            (stack, sink.into_found())
        })
    }
}

impl Slot {
    fn open(
        &self,
        name: &Arc<str>,
        capabilities: &Capabilities,
        sources: &Sources,
        sink: &mut Sink,
    ) -> Result<Stack, Reported> {
        let path = format!("schemas/{name}.schema.json");
        let document = match (&self.schema, embedded(&path).filter(|_| self.embedded)) {
            (Some((path, bytes)), _) => document::one(path.as_str(), bytes, sources, sink).map(Some),
            (None, Some(text)) => {
                document::one(&format!("<stackc>/{path}"), text.as_bytes(), sources, sink).map(Some)
            }
            (None, None) => Ok(None),
        };
        let inputs = document.and_then(|document| {
            let written = document.is_some();
            let document = match document {
                Some(document) => document,
                None => document::no_inputs(&path, sources, sink)?,
            };
            let names = input_names(&document, sink);
            Ok(stack::Inputs {
                schema: Arc::new(Schema::compile(&document, sink)?),
                written,
                types: Arc::new(document),
                names,
            })
        });
        let path = format!("stacks/{name}/stack.yaml");
        let document = match (&self.stack, embedded(&path)) {
            (Some((path, bytes)), _) => document::one(path.as_str(), bytes, sources, sink)?,
            (None, text) => {
                let text = text.unwrap_or_default();
                document::one(&format!("<stackc>/{path}"), text.as_bytes(), sources, sink)?
            }
        };
        let mut stack = stack::read(name, &document, inputs?, self.embedded, sources, sink)?;
        if SYNTHETIC_STACKS.contains(&name.as_ref()) {
            stack.synthetic = Some(document);
        }
        stack::check_capabilities(&stack, capabilities, sink);
        sink.finish(stack)
    }
}

/// The names of a schema's properties; those that belong to every instance are refused.
fn input_names(schema: &Node, sink: &mut Sink) -> Vec<Arc<str>> {
    let properties = schema.get("properties").and_then(Node::as_map);
    let mut names = Vec::new();
    for (name, entry) in properties.into_iter().flatten() {
        if RESERVED.contains(&name.as_ref()) {
            let fact = format!("`{name}` cannot be an input: it means the same for every instance");
            let _told = sink.report(
                Diagnostic::error(codes::RESERVED_NAME, fact)
                    .at(entry.key.span(), "")
                    .help("rename the input"),
            );
        }
        names.push(Arc::clone(name));
    }
    names
}

/// Keys of an instance that no input can have.
pub(crate) const RESERVED: &[&str] = &["stack", "charts", "after", "deliver", "helm"];

/// Reads the project in the world's root.
///
/// Everything that is wrong is told. With [`Selection::Named`] only those environments are read, and what they use.
pub fn load(
    world: &dyn World,
    sources: &Sources,
    selection: &Selection,
    sink: &mut Sink,
) -> Result<Project, Reported> {
    let file = project_file(world, sources, sink);
    let (environment_names, wanted) = environment_names(world, selection, sink);
    let documents = overlays(world, &wanted, sources, sink);
    let environments = environments(world, &wanted, &documents, sources, sink);
    let capabilities = capabilities(world, sources, sink);
    let library = stacks(world, capabilities, sink);
    let used = used_stacks(&documents);
    let names: Vec<&Arc<str>> = library
        .slots
        .iter()
        .filter(|(name, slot)| !slot.embedded || used.contains(name.as_ref()))
        .map(|(name, _)| name)
        .collect();
    let found: Vec<&[Diagnostic]> = names.par_iter().map(|name| library.findings(name, sources)).collect();
    for finding in found.into_iter().flatten() {
        let _told = sink.report(finding.clone());
    }
    sink.finish(())?;
    Ok(Project { file: file?, environments, environment_names, library, manifests: ManifestFiles::default() })
}

/// The stacks that can be used in the world's root, where there need not be a project.
pub fn library(world: &dyn World, sources: &Sources, sink: &mut Sink) -> Library {
    let capabilities = capabilities(world, sources, sink);
    stacks(world, capabilities, sink)
}

fn project_file(world: &dyn World, sources: &Sources, sink: &mut Sink) -> Result<ProjectFile, Reported> {
    let path = Utf8Path::new("stackc.yaml");
    let bytes = world.read(path).map_err(|error| {
        let help = match error {
            WorldError::Missing(_) => "run `stackc init` to start a project here",
            WorldError::Failed(..) => "make the file readable",
        };
        sink.report(Diagnostic::error(codes::MISSING_FILE, error.to_string()).help(help))
    })?;
    let document = document::one(path.as_str(), &bytes, sources, sink)?;
    project_file::read(&document, sink)
}

/// All environments, and those that were asked for.
fn environment_names(
    world: &dyn World,
    selection: &Selection,
    sink: &mut Sink,
) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
    let entries = match world.list(Utf8Path::new("overlays")) {
        Ok(entries) => entries,
        Err(WorldError::Missing(_)) => Vec::new(),
        Err(error @ WorldError::Failed(..)) => {
            let _told = sink.report(Diagnostic::error(codes::UNREADABLE_FILE, error.to_string()));
            return (Vec::new(), Vec::new());
        }
    };
    let mut all: Vec<Arc<str>> = Vec::new();
    for entry in entries {
        let folder = Utf8Path::new("overlays").join(&entry.name);
        if entry.kind != EntryKind::Folder || entry.name.starts_with('.') {
            continue;
        }
        if world.kind(&folder.join("overlay.yaml")) == Some(EntryKind::File) {
            all.push(entry.name.into());
        } else if world.kind(&folder.join("overlay.yml")).is_some() {
            let fact = format!("`{folder}/overlay.yml` is not read");
            let _told =
                sink.report(Diagnostic::error(codes::MISSING_FILE, fact).help("rename it to `overlay.yaml`"));
        }
    }
    all.sort();
    let wanted = match selection {
        Selection::All => {
            if all.is_empty() && !sink.failed() {
                let _told = sink.report(
                    Diagnostic::error(codes::MISSING_FILE, "the project has no environment")
                        .help("write `overlays/NAME/overlay.yaml`, or run `stackc init`"),
                );
            }
            all.clone()
        }
        Selection::Named(names) => {
            let mut wanted: BTreeSet<Arc<str>> = BTreeSet::new();
            for name in names {
                if let Ok(index) = all.binary_search_by(|known| known.as_ref().cmp(name)) {
                    let _new = wanted.insert(Arc::clone(&all[index]));
                } else {
                    let finding = Diagnostic::error(
                        codes::UNKNOWN_ENVIRONMENT,
                        format!("there is no environment `{name}`"),
                    );
                    let _told = sink.report(fields::suggest(
                        finding,
                        name,
                        all.iter().map(AsRef::as_ref),
                        "the environments are",
                    ));
                }
            }
            wanted.into_iter().collect()
        }
    };
    (all, wanted)
}

/// The overlays of these environments and, wave by wave, their bases.
fn overlays(
    world: &dyn World,
    wanted: &[Arc<str>],
    sources: &Sources,
    sink: &mut Sink,
) -> BTreeMap<Utf8PathBuf, Arc<OverlayDocument>> {
    let mut found: BTreeMap<Utf8PathBuf, Option<Arc<OverlayDocument>>> = BTreeMap::new();
    let mut wave: Vec<Utf8PathBuf> =
        wanted.iter().map(|name| Utf8Path::new("overlays").join(name.as_ref())).collect();
    while !wave.is_empty() {
        let read: Vec<(Option<OverlayDocument>, Sink)> = wave
            .par_iter()
            .map(|folder| {
                let mut sink = Sink::new();
                let path = folder.join("overlay.yaml");
                let document = document::file(world, &path, sources, &mut sink)
                    .and_then(|document| overlay::read(folder, &document, &mut sink));
                (document.ok(), sink)
            })
            .collect();
        let mut next: BTreeSet<Utf8PathBuf> = BTreeSet::new();
        for (folder, (document, own)) in wave.into_iter().zip(read) {
            sink.merge(own);
            let document = document.map(Arc::new);
            if let Some(document) = &document {
                for (base, span) in &document.extends {
                    if found.contains_key(base) || next.contains(base) {
                        continue;
                    }
                    if world.kind(&base.join("overlay.yaml")) == Some(EntryKind::File) {
                        next.insert(base.clone());
                    } else {
                        let known = all_overlays(world, Utf8Path::new("overlays"), 0);
                        let _told = sink.report(overlay::missing_base(base, *span, &known));
                    }
                }
            }
            let _new = found.insert(folder, document);
        }
        wave = next.into_iter().filter(|folder| !found.contains_key(folder)).collect();
    }
    found.into_iter().filter_map(|(folder, document)| document.map(|document| (folder, document))).collect()
}

/// Every folder below `folder` with an `overlay.yaml`, for suggestions.
fn all_overlays(world: &dyn World, folder: &Utf8Path, depth: usize) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    for entry in world.list(folder).unwrap_or_default() {
        let path = folder.join(&entry.name);
        match entry.kind {
            EntryKind::Folder if depth < 4 => found.extend(all_overlays(world, &path, depth + 1)),
            EntryKind::File if entry.name == "overlay.yaml" => found.push(folder.to_owned()),
            _ => {}
        }
    }
    found
}

fn environments(
    world: &dyn World,
    wanted: &[Arc<str>],
    documents: &BTreeMap<Utf8PathBuf, Arc<OverlayDocument>>,
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<Arc<EnvironmentDocuments>> {
    let mut shared: BTreeMap<Vec<Utf8PathBuf>, Arc<Bases>> = BTreeMap::new();
    let mut chains = Vec::new();
    for name in wanted {
        let folder = Utf8Path::new("overlays").join(name.as_ref());
        let Some(overlay) = documents.get(&folder) else { continue };
        let mut chain = overlay::linearize(overlay, documents, sink);
        let _own = chain.pop();
        let key: Vec<Utf8PathBuf> = chain.iter().map(|document| document.folder.clone()).collect();
        let bases = shared
            .entry(key)
            .or_insert_with(|| Arc::new(Bases { documents: chain, merged: OnceLock::new() }));
        chains.push((Arc::clone(name), Arc::clone(overlay), Arc::clone(bases)));
    }
    let folders: BTreeSet<&Utf8Path> = chains
        .iter()
        .flat_map(|(_, overlay, bases)| bases.documents.iter().chain(std::iter::once(overlay)))
        .map(|document| document.folder.as_path())
        .collect();
    let folders: Vec<&Utf8Path> = folders.into_iter().collect();
    let read: Vec<(Vec<EncryptedFile>, Sink)> = folders
        .par_iter()
        .map(|folder| {
            let mut sink = Sink::new();
            (encrypted_files(world, folder, sources, &mut sink), sink)
        })
        .collect();
    let mut encrypted: BTreeMap<&Utf8Path, Vec<EncryptedFile>> = BTreeMap::new();
    for (folder, (files, own)) in folders.iter().zip(read) {
        sink.merge(own);
        if !files.is_empty() {
            let _new = encrypted.insert(folder, files);
        }
    }
    chains
        .iter()
        .map(|(name, overlay, bases)| {
            // A file of the same name nearer to the environment replaces the base's.
            let mut files: BTreeMap<String, EncryptedFile> = BTreeMap::new();
            for document in bases.documents.iter().chain(std::iter::once(overlay)) {
                for file in encrypted.get(document.folder.as_path()).into_iter().flatten() {
                    let name = file.path.file_name().unwrap_or_default().to_owned();
                    let _replaced = files.insert(name, file.clone());
                }
            }
            Arc::new(EnvironmentDocuments {
                name: Arc::clone(name),
                overlay: Arc::clone(overlay),
                bases: Arc::clone(bases),
                encrypted: files.into_values().collect(),
            })
        })
        .collect()
}

fn encrypted_files(
    world: &dyn World,
    folder: &Utf8Path,
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<EncryptedFile> {
    let folder = folder.join("secrets");
    let mut found = Vec::new();
    for entry in world.list(&folder).unwrap_or_default() {
        let path = folder.join(&entry.name);
        let data = [".yaml", ".yml", ".json"].iter().any(|ending| entry.name.ends_with(ending));
        if entry.kind != EntryKind::File || entry.name == ".sops.yaml" || !data {
            continue;
        }
        if !entry.name.ends_with(".sops.yaml") {
            let fact = format!("`{path}` lies among the encrypted Secrets and is none");
            let _told = sink.report(Diagnostic::error(codes::NOT_ENCRYPTED, fact).help(format!(
                "encrypt it and call it `{}.sops.yaml`, or move it elsewhere",
                entry.name.rsplit_once('.').map_or("", |(stem, _)| stem)
            )));
            continue;
        }
        let Ok(bytes) = document::bytes(world, &path, sink) else { continue };
        let bytes: Arc<[u8]> = bytes.into();
        let mut own = Sink::new();
        let file = document::all(path.as_str(), &bytes, sources, &mut own).and_then(|(documents, span)| {
            encrypted::read(&path, Arc::clone(&bytes), &documents, span, &mut own)
        });
        sink.merge(own);
        found.extend(file);
    }
    found
}

/// The stacks of the binary and of the project, not read yet.
fn stacks(world: &dyn World, capabilities: Capabilities, sink: &mut Sink) -> Library {
    let mut slots: BTreeMap<Arc<str>, Slot> = embedded_stacks()
        .map(|name| {
            (Arc::from(name), Slot { embedded: true, stack: None, schema: None, read: OnceLock::new() })
        })
        .collect();
    for entry in world.list(Utf8Path::new("stacks")).unwrap_or_default() {
        let path = Utf8Path::new("stacks").join(&entry.name).join("stack.yaml");
        if entry.kind != EntryKind::Folder || world.kind(&path) != Some(EntryKind::File) {
            continue;
        }
        if SYNTHETIC_STACKS.contains(&entry.name.as_str()) {
            let fact = format!("`{}` is a stack that needs no definition", entry.name);
            let _told = sink.report(
                Diagnostic::error(codes::INVALID_NAME, fact).help(format!("rename the folder of `{path}`")),
            );
            continue;
        }
        if !fields::is_label(&entry.name, 53) {
            let finding = fields::invalid_label(&entry.name, "a stack", 53, None);
            let _told = sink.report(finding.note(format!("in `{path}`")));
            continue;
        }
        let Ok(bytes) = document::bytes(world, &path, sink) else { continue };
        let slot =
            Slot { embedded: false, stack: Some((path, bytes.into())), schema: None, read: OnceLock::new() };
        let _replaced = slots.insert(entry.name.into(), slot);
    }
    schemas(world, &mut slots, sink);
    Library { slots, capabilities }
}

/// The schemas of the project, each with its stack. What looks like one and is read by nobody is told.
fn schemas(world: &dyn World, slots: &mut BTreeMap<Arc<str>, Slot>, sink: &mut Sink) {
    let folder = Utf8Path::new("schemas");
    let files: Vec<String> = world
        .list(folder)
        .unwrap_or_default()
        .into_iter()
        .filter(|entry| entry.kind == EntryKind::File && !entry.name.starts_with('.'))
        .map(|entry| entry.name)
        .collect();
    for file in &files {
        let path = folder.join(file);
        if let Some(name) = file.strip_suffix(".schema.json") {
            if let Some(slot) = slots.get_mut(name) {
                let Ok(bytes) = document::bytes(world, &path, sink) else { continue };
                slot.schema = Some((path, bytes.into()));
            } else if name != "capabilities" {
                let finding =
                    Diagnostic::warning(codes::UNKNOWN_STACK, format!("`{path}` belongs to no stack"));
                let _told = sink.report(match did_you_mean(name, slots.keys().map(AsRef::as_ref)) {
                    Some(near) => finding.help(format!(
                        "did you mean `{near}.schema.json`? a schema is named after its stack"
                    )),
                    None => finding.help(format!("write `stacks/{name}/stack.yaml`, or take the file away")),
                });
            }
            continue;
        }
        let stem = file.split('.').next().unwrap_or_default();
        let wanted = format!("{stem}.schema.json");
        let own = slots.get(stem).is_some_and(|slot| !slot.embedded);
        if own && !files.contains(&wanted) {
            let fact = format!("`{folder}/{wanted}` does not exist, and `{path}` is not read");
            let finding = Diagnostic::error(codes::MISSING_FILE, fact);
            let _told = sink.report(finding.help(format!(
                "rename it to `{wanted}`: the inputs of the stack `{stem}` are described there"
            )));
        }
    }
}

/// The names of stacks in these overlays, whether they exist or not.
fn used_stacks(documents: &BTreeMap<Utf8PathBuf, Arc<OverlayDocument>>) -> BTreeSet<&str> {
    let mut used = BTreeSet::new();
    for document in documents.values() {
        let Some(stacks) = document.spec.get("stacks").and_then(Node::as_map) else { continue };
        for (name, entry) in stacks {
            let _new = used.insert(entry.node.get("stack").and_then(Node::as_str).unwrap_or(name));
        }
    }
    used
}

fn capabilities(world: &dyn World, sources: &Sources, sink: &mut Sink) -> Capabilities {
    let mut found = Capabilities::new();
    let path = Utf8Path::new("schemas/capabilities.schema.json");
    let own = world.read(path).ok();
    if let Some(text) = embedded(path.as_str()).filter(|text| own.as_deref() != Some(text.as_bytes())) {
        let name = format!("<stackc>/{path}");
        let _read = document::one(&name, text.as_bytes(), sources, sink)
            .and_then(|document| capability::read(&document, &mut found, sink));
    }
    if world.kind(path) == Some(EntryKind::File) {
        let _read = document::file(world, path, sources, sink)
            .and_then(|document| capability::read(&document, &mut found, sink));
    }
    found
}
