//! Photos of this crate's own, for whoever gives none.

#[path = "photos.rs"]
mod photos;

use std::path::PathBuf;

/// Photos made from those in the repository, below its target folder: a folder in the system's temporary
/// one could be another user's.
///
/// # Errors
/// Says the folder and why they cannot be made there.
pub(crate) fn made_here(count: usize) -> Result<Vec<PathBuf>, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    let target = target.map_or_else(|| photos::repository::root().join("target"), PathBuf::from);
    let folder = target.join("gapless-photos");
    photos::make_photos(&folder, count, 1)
        .map_err(|error| format!("photos cannot be made in {}: {error}", crate::terminal::name(folder)))
}
