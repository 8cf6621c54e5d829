//! Photos become the right pixels, or a failure that says why.
#![cfg(feature = "image")]

#[path = "image/damage.rs"]
mod damage;
#[path = "image/depths.rs"]
mod depths;
#[path = "image/golden.rs"]
mod golden;
#[path = "image/notes.rs"]
mod notes;
#[path = "image/orientation.rs"]
mod orientation;
#[path = "image/paths.rs"]
mod paths;

use std::fs;
use std::path::{Path, PathBuf};

use gapless::image::{Filter, Loader};

/// A file made by `scripts/make_image_fixtures.py`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/image").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_clone_of_a_loader_has_its_settings_and_works_beside_it() {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("photos/coffee.jpg");
    let loader = Loader::rgb8(40, 30).center_crop(0.5).filter(Filter::Bicubic);
    let (clone, plain) = (loader.clone(), Loader::rgb8(40, 30));
    let expected = loader.load(&photo).unwrap();
    assert_ne!(plain.load(&photo).unwrap(), expected, "the settings change the pixels");
    let loaded = std::thread::scope(|scope| {
        let both = [&loader, &clone].map(|loader| scope.spawn(|| loader.load(&photo).unwrap()));
        both.map(|thread| thread.join().unwrap())
    });
    assert!(loaded.iter().all(|tensor| *tensor == expected));
}
