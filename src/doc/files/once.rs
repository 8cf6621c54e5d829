//! Each file once, whatever names it has.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::Path;

use crate::error::Cause;
use crate::file::name;

/// Which file or folder of this machine something is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    device: u64,
    #[cfg(unix)]
    number: u64,
    #[cfg(not(unix))]
    path: std::path::PathBuf,
}

impl Identity {
    /// That of what stands at a path, or behind the link there. A link that leads nowhere is a file itself. `None`
    /// where nothing is there any more.
    pub(super) fn of(path: &Path) -> Result<Option<Self>, Cause> {
        match fs::metadata(path).or_else(|_| fs::symlink_metadata(path)) {
            Ok(metadata) => Ok(Self::new(path, &metadata)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Cause::from(error).context(name(path))),
        }
    }

    #[cfg(unix)]
    fn new(_: &Path, metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { device: metadata.dev(), number: metadata.ino() })
    }

    #[cfg(not(unix))]
    fn new(path: &Path, _: &Metadata) -> Option<Self> {
        Some(Self { device: 0, path: fs::canonicalize(path).ok()? })
    }
}

/// Files that were seen. Files that were made together have numbers near each other, so 64 neighbours share a word:
/// millions of them take a few bytes each.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<Identity, u64>);

impl Seen {
    /// Whether it is seen for the first time.
    #[cfg(unix)]
    pub(super) fn add(&mut self, file: Identity) -> bool {
        let bit = 1 << (file.number % 64);
        let word = self.0.entry(Identity { number: file.number / 64, ..file }).or_default();
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether it is seen for the first time.
    #[cfg(not(unix))]
    pub(super) fn add(&mut self, file: Identity) -> bool {
        self.0.insert(file, 1).is_none()
    }
}
