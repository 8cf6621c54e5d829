//! Photos become the right pixels, or a failure that says why.
#![cfg(feature = "image")]

#[path = "image/damage.rs"]
mod damage;
#[path = "image/golden.rs"]
mod golden;
#[path = "image/paths.rs"]
mod paths;

use std::fs;
use std::path::{Path, PathBuf};

/// A file made by `scripts/make_image_fixtures.py`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/image").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
