//! The repository, wherever a program of it is started.

use std::path::Path;

/// The folder of this package or one above it: whichever holds the photos.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("photos").is_dir()).unwrap_or(package)
}
