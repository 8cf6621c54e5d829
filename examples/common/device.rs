//! The device that a command line names, and what kind it is.

use gapless::{DeviceKind, Error, Gpu};

/// `cpu`, `software` or a part of an adapter's name; the best there is where nothing is named.
pub(crate) fn open(name: Option<&str>) -> Result<Gpu, Error> {
    name.map_or_else(Gpu::best, Gpu::named)
}

/// An adapter that does not say what it is stands for a card lent to a virtual machine.
pub(crate) fn kind(gpu: &Gpu) -> &'static str {
    match gpu.info().kind {
        DeviceKind::Integrated => "integrated",
        DeviceKind::Software => "software",
        DeviceKind::Twin => "twin",
        _ => "discrete",
    }
}
