//! Photos of the repository, wherever an example is started.

use std::path::{Path, PathBuf};

/// The photos that were named, or three of the repository.
pub(crate) fn photos_or_three(named: impl Iterator<Item = String>) -> Vec<PathBuf> {
    let named: Vec<PathBuf> = named.map(PathBuf::from).collect();
    if !named.is_empty() {
        return named;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("photos");
    ["chelsea", "coffee", "rocket"].map(|name| folder.join(name).with_extension("jpg")).into()
}
