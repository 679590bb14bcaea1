//! A world seen from one of its folders, one file perhaps as it is about to be.

use super::{EntryKind, Exclusive, FolderEntry, World, WorldError, passes_on};
use camino::{Utf8Path, Utf8PathBuf};

/// Another world whose relative paths start from a folder of it: the project's root.
pub struct Below<'a> {
    world: &'a dyn World,
    folder: Utf8PathBuf,
    root: Option<Utf8PathBuf>,
    changed: Option<(Utf8PathBuf, Vec<u8>)>,
}

impl<'a> Below<'a> {
    /// `world` seen from `folder`.
    pub fn new(world: &'a dyn World, folder: &Utf8Path) -> Self {
        Self {
            world,
            folder: folder.to_owned(),
            root: world.root().map(|root| root.join(folder)),
            changed: None,
        }
    }

    /// The same world, in which a file reads as these bytes.
    #[must_use]
    pub fn with_file(&self, path: &Utf8Path, bytes: &[u8]) -> Self {
        Self {
            world: self.world,
            folder: self.folder.clone(),
            root: self.root.clone(),
            changed: Some((path.to_owned(), bytes.to_vec())),
        }
    }
}

impl World for Below<'_> {
    passes_on!(world: now random standard_input variable pause fetch execute);

    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, WorldError> {
        match &self.changed {
            Some((changed, bytes)) if changed == path => Ok(bytes.clone()),
            _ => self.world.read(&self.folder.join(path)),
        }
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<FolderEntry>, WorldError> {
        self.world.list(&self.folder.join(path))
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        self.world.kind(&self.folder.join(path))
    }

    fn size(&self, path: &Utf8Path) -> Result<u64, WorldError> {
        match &self.changed {
            Some((changed, bytes)) if changed == path => Ok(bytes.len() as u64),
            _ => self.world.size(&self.folder.join(path)),
        }
    }

    fn real_path(&self, path: &Utf8Path) -> Result<Utf8PathBuf, WorldError> {
        self.world.real_path(&self.folder.join(path))
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.world.write(&self.folder.join(path), bytes)
    }

    fn keep(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.world.keep(&self.folder.join(path), bytes)
    }

    fn remove(&self, path: &Utf8Path) -> Result<(), WorldError> {
        self.world.remove(&self.folder.join(path))
    }

    fn remove_empty_folder(&self, path: &Utf8Path) -> Result<(), WorldError> {
        self.world.remove_empty_folder(&self.folder.join(path))
    }

    fn exclusive(&self, path: &Utf8Path) -> Result<Exclusive, WorldError> {
        self.world.exclusive(&self.folder.join(path))
    }

    fn root(&self) -> Option<&Utf8Path> {
        self.root.as_deref()
    }
}
