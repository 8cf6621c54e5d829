//! The device of the tests that need one.

use std::io::Write;

use gapless::Gpu;

/// The device that `GAPLESS_DEVICE` names, `software` by default.
///
/// `None` only when `GAPLESS_TESTS=no-gpu` asks to leave these tests out.
///
/// # Panics
/// If the device is not there.
pub(crate) fn device() -> Option<Gpu> {
    if std::env::var("GAPLESS_TESTS").is_ok_and(|tests| tests == "no-gpu") {
        eprintln!("left out: GAPLESS_TESTS=no-gpu");
        return None;
    }
    count_this_test();
    let name = std::env::var("GAPLESS_DEVICE").unwrap_or_else(|_| "software".into());
    let gpu = Gpu::named(&name).unwrap_or_else(|error| {
        panic!("GAPLESS_DEVICE={name}: {error}. Set GAPLESS_TESTS=no-gpu to leave the GPU tests out.")
    });
    Some(gpu)
}

/// Adds the name of this test to the file that `GAPLESS_DEVICE_TESTS` names, by which `.ci/run` counts.
fn count_this_test() {
    let Ok(path) = std::env::var("GAPLESS_DEVICE_TESTS") else { return };
    // The harness gives a test's thread the name of the test.
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let mut file = std::fs::File::options().create(true).append(true).open(&path).expect("it can be written");
    file.write_all(format!("{}::{test}\n", env!("CARGO_CRATE_NAME")).as_bytes()).expect("it can be written");
}
