//! The GPU half: a device, and programs of kernels on it.
//!
//! A [`Gpu`] is a device or the twins; a [`Program`] is a graph of kernels over named tensors that
//! runs as a [`GpuStage`](crate::GpuStage) on either. Every kernel is a shader and a *twin* of it, the same operation
//! written for the CPU: twins are what a program runs on where there is no GPU, and what tests compare shaders with.
//! Without the feature `gpu` wgpu is not built, and everything runs on the twins.
//!
//! # A line of Mesa's on stderr
//! `error: XDG_RUNTIME_DIR is invalid or not set in the environment.` comes from a Linux machine without a desktop, as
//! in a container, once each time devices are looked for, and means nothing for what is computed here. wgpu asks Vulkan
//! for windows of Wayland wherever the driver offers them, whether any are wanted or not; Mesa then looks for a
//! compositor, to prefer the GPU that it shows its picture with, and the library that it asks prints the line. wgpu has
//! no setting for it that code without `unsafe` can use, and a library must not change the environment of its process.
//! Whoever starts the program can: `XDG_RUNTIME_DIR` set to a folder, or `NODEVICE_SELECT=1`, and the line is gone.
//! For what cargo runs a table `[env]` in `.cargo/config.toml` does it, as in the repository of this crate.

// A device that is lost is made again here; nothing here decodes a photo, cuts a batch or submits anything twice: that
// is `image` and `engine`. Types of wgpu appear in `hardware` and nowhere else.
//
// Uses: `error`, `stage`, `kernel`. Used by: `pipeline`.

mod allowed;
mod bandwidth;
mod constant;
mod driver;
mod facts;
mod graph;
#[cfg_attr(not(feature = "gpu"), path = "gpu/no_hardware.rs")]
mod hardware;
mod item;
mod kept;
mod lifetimes;
mod limits;
mod named;
mod plan;
mod profile;
mod program;
mod rewrite;
mod runner;
mod scalar;
mod shelf;
mod tensors;
mod twins;
mod undriven;
mod variants;

use std::fmt;
use std::sync::Arc;

pub use self::bandwidth::Bandwidth;
use self::bandwidth::in_memory;
use self::driver::Driver;
use self::facts::Facts;
pub use self::graph::TensorId;
use self::hardware::{Adapters, WITHOUT};
pub use self::item::Item;
pub use self::limits::Limits;
pub use self::plan::{Plan, PlannedKernel};
pub use self::profile::{KernelTime, Profile};
pub use self::program::Program;
pub use self::runner::ProgramTicket;
pub use self::scalar::Scalar;
pub use self::tensors::{Flat, OwnRow, Row, Tensors};
pub use self::variants::Variants;
use crate::error::Error;
use crate::stage::DeviceInfo;

/// A device that programs run on: a GPU, a software Vulkan, or the twins.
///
/// A clone is the same device. One that is lost is made again when a program on it is opened or goes on
/// after the loss, and all clones and programs then see the new one; see [`GpuStage::reopen`]. It is the same
/// adapter, never another kind of device.
///
/// [`GpuStage::reopen`]: crate::GpuStage::reopen
///
/// Which variants of kernels are the fastest is tried when a program is opened, and kept for other processes in a file
/// for each adapter, driver and version of gapless: in the folder that the variable `GAPLESS_CACHE` names, by default
/// `gapless` where the system keeps caches (`~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`); an empty value keeps none.
///
/// Names are the same everywhere: `cpu` means the twins, `software` a
/// Vulkan device that runs on the processor, and everything else a part of an adapter's name.
///
/// ```
/// use gapless::gpu::Gpu;
/// let gpu = Gpu::best()?;
/// println!("running on {gpu}");
/// # Ok::<(), gapless::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gpu(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    facts: Facts,
    /// `None` for the twins.
    hardware: Option<Box<dyn Driver>>,
}

impl Gpu {
    /// The best device there is: discrete, else integrated, else any other GPU, else the twins.
    ///
    /// It is never a software Vulkan, which is slower than a CPU library and shares the processor with
    /// the workers. No GPU and no driver at all are normal and give the twins, as does a build without the feature
    /// `gpu`, which the text and the [`driver`](Self::driver) of the device then say.
    ///
    /// Where there is a GPU and no driver offers it, a line on standard error says so, and what brings a driver.
    ///
    /// # Errors
    /// If there is a GPU and its driver refuses to open it: the twins in its place would hide that. With the variable
    /// `GAPLESS_REQUIRE_GPU=1`, if there is none; with 0 nothing is said of it.
    pub fn best() -> Result<Self, Error> {
        let adapters = Adapters::all();
        match named::best(&adapters.infos()) {
            Some(index) => Self::open("Gpu::best", &adapters, index),
            None => undriven::look(WITHOUT).map(|()| Self::cpu()),
        }
    }

    /// Every device that can be opened, the best first and the twins last.
    ///
    /// A GPU that several backends offer stands here once. To see what there is without opening it,
    /// use [`Gpu::list`].
    ///
    /// ```
    /// use gapless::{DeviceKind, gpu::Gpu};
    /// assert_eq!(Gpu::all().last().unwrap().info().kind, DeviceKind::Twin);
    /// ```
    pub fn all() -> Vec<Self> {
        let adapters = Adapters::all();
        let opened =
            (0..adapters.infos().len()).filter_map(|index| Self::open("Gpu::all", &adapters, index).ok());
        opened.chain([Self::cpu()]).collect()
    }

    /// What there is, the best first and the twins last, without opening anything.
    pub fn list() -> Vec<DeviceInfo> {
        Adapters::all().infos().into_iter().chain([named::twins()]).collect()
    }

    /// The device with this name: `cpu` for the twins, `software` for a software Vulkan, else the first
    /// whose adapter's name contains `name`, upper and lower case alike.
    ///
    /// # Errors
    /// If there is none, with a list of what there is; or if its driver refuses to open it.
    ///
    /// ```
    /// use gapless::gpu::Gpu;
    /// assert_eq!(Gpu::named("cpu")?.info().name, "cpu");
    /// assert!(Gpu::named("voodoo 2").unwrap_err().to_string().contains("cpu"));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn named(name: &str) -> Result<Self, Error> {
        if name.eq_ignore_ascii_case("cpu") {
            return Ok(Self::cpu());
        }
        let adapters = Adapters::all();
        let infos = adapters.infos();
        match named::find(&infos, name) {
            Some(index) => Self::open("Gpu::named", &adapters, index),
            None => {
                let reason = named::no_such_device(&infos, name, WITHOUT);
                Err(Error::Setting { name: "Gpu::named", reason })
            }
        }
    }

    /// The twins: no device, every kernel on the CPU, on the device thread.
    pub fn cpu() -> Self {
        Self(Arc::new(Inner { facts: Facts::twins(WITHOUT), hardware: None }))
    }

    /// Name and kind.
    pub fn info(&self) -> &DeviceInfo {
        &self.0.facts.info
    }

    fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// Backend, driver and its version in one line, for a report.
    pub fn driver(&self) -> &str {
        &self.0.facts.driver
    }

    /// What the device allows.
    pub fn limits(&self) -> &Limits {
        &self.0.facts.limits
    }

    /// GPU buffers that programs made on this device so far.
    ///
    /// All are made when a program is opened; the number does not grow while batches run. After a loss the
    /// buffers of the new device are counted.
    pub fn buffers_made(&self) -> u64 {
        self.hardware().map_or(0, |hardware| hardware.buffers_made())
    }

    /// Measures how fast this device moves `bytes` bytes, the median of five rounds.
    ///
    /// 64 MiB are enough for a figure that holds. The buffers are freed afterwards.
    ///
    /// # Errors
    /// If the bytes do not fit, or the device is lost.
    pub fn bandwidth(&self, bytes: u64) -> Result<Bandwidth, Error> {
        let refused = |reason: String| Error::Setting { name: "Gpu::bandwidth", reason };
        let most = self.limits().buffer_bytes.min(isize::MAX as u64) / 8 * 8;
        if bytes > most {
            return Err(refused(format!("{bytes} bytes do not fit, {most} would")));
        }
        let bytes = bytes.next_multiple_of(8).max(8);
        let Some(hardware) = self.hardware() else { return Ok(in_memory(bytes as usize)) };
        let measured = hardware.bandwidth(bytes);
        measured.map_err(|error| refused(error.cause().clone().context(format!("{bytes} bytes")).to_string()))
    }

    /// `None` for the twins.
    fn hardware(&self) -> Option<&dyn Driver> {
        self.0.hardware.as_deref()
    }

    fn on(hardware: Box<dyn Driver>) -> Self {
        Self(Arc::new(Inner { facts: hardware.facts().clone(), hardware: Some(hardware) }))
    }

    fn open(setting: &'static str, adapters: &Adapters, index: usize) -> Result<Self, Error> {
        adapters.open(index).map(Self::on).map_err(|cause| Error::Setting {
            name: setting,
            reason: format!(
                "the driver does not open {}: {cause}; Gpu::cpu() (the twins, `--device cpu` in the examples) works without it",
                adapters.infos()[index].name
            ),
        })
    }
}

/// Name, kind and driver.
impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.facts.fmt(f)
    }
}
