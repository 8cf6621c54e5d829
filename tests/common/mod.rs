//! What the tests of the GPU half share: the choice of the device, and a small kernel.
#![allow(dead_code, reason = "every test file uses its own part")]

pub(crate) mod toy;

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
    let name = std::env::var("GAPLESS_DEVICE").unwrap_or_else(|_| "software".into());
    let gpu = Gpu::named(&name).unwrap_or_else(|error| {
        panic!("GAPLESS_DEVICE={name}: {error}. Set GAPLESS_TESTS=no-gpu to leave the GPU tests out.")
    });
    Some(gpu)
}
