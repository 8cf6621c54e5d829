//! The GPU half: a device, programs of kernels on it, and the ring that keeps it busy.
//!
//! A [`Gpu`] is a device or the twins; a [`Program`] is a graph of kernels over named tensors that
//! runs as a [`GpuStage`](crate::GpuStage) on either. Types of wgpu appear here and nowhere else.
//! A device that is lost is made again here; nothing here decodes a photo, cuts a batch or submits
//! anything twice: that is `image` and `engine`.
//!
//! Uses: `error`, `stage`, `kernel`. Used by: `pipeline`.

mod adapters;
mod allowed;
mod bandwidth;
mod choices;
mod clock;
mod compile;
mod constant;
mod deadline;
mod device;
mod graph;
mod item;
mod lifetimes;
mod limits;
mod plan;
mod profile;
mod program;
mod rebuild;
mod ring;
mod scalar;
mod shelf;
mod slot;
mod tensors;
mod twins;

use std::fmt;
use std::sync::Arc;

pub use self::bandwidth::Bandwidth;
use self::choices::Choices;
use self::device::Device;
pub use self::graph::TensorId;
pub use self::item::Item;
pub use self::limits::Limits;
pub use self::plan::{Plan, PlannedKernel};
pub use self::profile::{KernelTime, Profile};
pub use self::program::{Program, ProgramTicket};
use self::rebuild::{Origin, Rebuilt};
use self::ring::Trial;
pub use self::scalar::Scalar;
pub use self::tensors::{Flat, Row, Tensors};
use crate::error::{Cause, Error};
use crate::stage::{DeviceInfo, DeviceKind, IntoResult};

/// A device that programs run on: a GPU, a software Vulkan, or the twins.
///
/// A clone is the same device. One that is lost is made again when a program on it is opened or goes on
/// after the loss, and all clones and programs then see the new one; see [`GpuStage::reopen`]. It is the same
/// adapter, never another kind of device.
///
/// [`GpuStage::reopen`]: crate::GpuStage::reopen
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
    info: DeviceInfo,
    driver: String,
    limits: Limits,
    /// `None` for the twins.
    device: Option<Rebuilt>,
    /// Which variants of kernels run on it.
    choices: Choices,
}

impl Gpu {
    /// The best device there is: discrete, else integrated, else any other GPU, else the twins.
    ///
    /// It is never a software Vulkan, which is slower than a CPU library and shares the processor with
    /// the workers. No GPU and no driver at all are normal and give the twins.
    ///
    /// # Errors
    /// If there is a GPU and its driver refuses to open it: the twins in its place would hide that.
    pub fn best() -> Result<Self, Error> {
        let adapters = adapters::all();
        let kinds: Vec<DeviceKind> = adapters.iter().map(|adapter| adapters::info(adapter).kind).collect();
        match adapters::best(&kinds) {
            Some(index) => Self::open("Gpu::best", &adapters, index),
            None => Ok(Self::cpu()),
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
        let adapters = adapters::all();
        let opened = (0..adapters.len()).filter_map(|index| Self::open("Gpu::all", &adapters, index).ok());
        opened.chain([Self::cpu()]).collect()
    }

    /// What there is, the best first and the twins last, without opening anything.
    pub fn list() -> Vec<DeviceInfo> {
        adapters::all().iter().map(adapters::info).chain([adapters::twins()]).collect()
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
        let adapters = adapters::all();
        let infos: Vec<DeviceInfo> = adapters.iter().map(adapters::info).collect();
        match adapters::find(&infos, name) {
            Some(index) => Self::open("Gpu::named", &adapters, index),
            None => {
                Err(Error::Setting { name: "Gpu::named", reason: adapters::no_such_device(&infos, name) })
            }
        }
    }

    /// The twins: no device, every kernel on the CPU, on the device thread.
    pub fn cpu() -> Self {
        Self(Arc::new(Inner {
            info: adapters::twins(),
            driver: "none".into(),
            limits: Limits::twins(),
            device: None,
            choices: Choices::default(),
        }))
    }

    /// A device of your own, shared with your own work on it.
    ///
    /// The program submits to `queue` from the device thread; your submissions may be in between.
    /// This sets the callback for a lost device, of which wgpu keeps only one: without it a loss is
    /// silent. A second call with the same device replaces the callback of the first, whose [`Gpu`] is
    /// then told of no loss. Errors of the program's own calls are caught in error scopes; your handler for
    /// uncaptured errors stays.
    ///
    /// The limits are those that `device` was made with. The default of 128 MiB a binding is small for
    /// large batches: ask for `adapter.limits()`.
    ///
    /// A device that was given cannot be made again: where it is lost, runs on it end with
    /// [`Error::DeviceLost`]. [`from_wgpu_with`](Self::from_wgpu_with) goes on after a loss.
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Self::wrap(Device::new(device, queue), Origin::Given)
    }

    /// A device of your own, as with [`from_wgpu`](Self::from_wgpu), that `make` makes now, and again
    /// whenever it is lost.
    ///
    /// Later calls come from the thread that noticed the loss. The new device must be on the same adapter
    /// and have the same limits, since programs were planned for these and results must not change; one
    /// that differs ends the run. Your own work on the lost device is yours to repeat.
    ///
    /// ```no_run
    /// use gapless::{Cause, Gpu};
    /// use wgpu::{DeviceDescriptor, InstanceDescriptor, RequestAdapterOptions};
    ///
    /// let gpu = Gpu::from_wgpu_with(|| {
    ///     let instance = wgpu::Instance::new(InstanceDescriptor::new_without_display_handle_from_env());
    ///     let adapter = pollster::block_on(instance.request_adapter(&RequestAdapterOptions::default()))?;
    ///     let required_limits = adapter.limits();
    ///     let wanted = DeviceDescriptor { required_limits, ..Default::default() };
    ///     Ok::<_, Cause>(pollster::block_on(adapter.request_device(&wanted))?)
    /// })?;
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// What `make` says.
    pub fn from_wgpu_with<R>(mut make: impl FnMut() -> R + Send + 'static) -> Result<Self, Error>
    where
        R: IntoResult<Value = (wgpu::Device, wgpu::Queue)>,
    {
        let mut make = move || make().into_result();
        let made = make().map_err(|cause| Error::Setting {
            name: "Gpu::from_wgpu_with",
            reason: format!("no device was made: {cause}"),
        });
        let (device, queue) = made?;
        Ok(Self::wrap(Device::new(device, queue), Origin::Factory(Box::new(make))))
    }

    /// Name and kind.
    pub fn info(&self) -> &DeviceInfo {
        &self.0.info
    }

    /// Backend, driver and its version in one line, for a report.
    pub fn driver(&self) -> &str {
        &self.0.driver
    }

    /// What the device allows.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    fn choices(&self) -> &Choices {
        &self.0.choices
    }

    /// How variants are tried for batches of so many items. On the processor an item takes about as long as the
    /// next one, and all of them would take long: one has to tell.
    fn trial(&self, max_batch: usize) -> Trial<'_> {
        let rows = if self.info().kind == DeviceKind::Software { 1 } else { max_batch };
        Trial { choices: self.choices(), rows }
    }

    /// GPU buffers that programs made on this device so far.
    ///
    /// All are made when a program is opened; the number does not grow while batches run. After a loss the
    /// buffers of the new device are counted.
    pub fn buffers_made(&self) -> u64 {
        self.0.device.as_ref().map_or(0, |device| device.present().buffers_made())
    }

    /// The device, made again if it is lost; `None` for the twins.
    fn device(&self) -> Result<Option<Arc<Device>>, Cause> {
        let device = self.0.device.as_ref();
        device.map(|device| device.live(|new| self.check_same(new))).transpose()
    }

    fn is_twins(&self) -> bool {
        self.0.device.is_none()
    }

    /// Whether a device can take the place of this one: everything that was planned for this one must hold.
    fn check_same(&self, new: &Device) -> Result<(), Cause> {
        let (info, limits) = (adapters::describe(&new.raw.adapter_info()), Limits::of(new));
        if (&info, &limits) == (&self.0.info, &self.0.limits) {
            return Ok(());
        }
        let Inner { info: old, limits: old_limits, .. } = &*self.0;
        Err(Cause::msg(if info == *old {
            format!("the new device has other limits: {limits:?}, and not {old_limits:?}")
        } else {
            format!("the new device is {} ({}), and not {} ({})", info.name, info.kind, old.name, old.kind)
        }))
    }

    fn open(setting: &'static str, adapters: &[wgpu::Adapter], index: usize) -> Result<Self, Error> {
        let origin = Origin::Adapter(Box::new(adapters::identify(adapters, index)));
        match Device::open(&adapters[index]) {
            Ok(device) => Ok(Self::wrap(device, origin)),
            Err(cause) => Err(Error::Setting {
                name: setting,
                reason: format!(
                    "the driver does not open {}: {cause}; Gpu::cpu() (the twins, `--device cpu` in the examples) works without it",
                    adapters[index].get_info().name
                ),
            }),
        }
    }

    fn wrap(device: Device, origin: Origin) -> Self {
        let adapter = device.raw.adapter_info();
        Self(Arc::new(Inner {
            info: adapters::describe(&adapter),
            driver: adapters::driver(&adapter),
            limits: Limits::of(&device),
            device: Some(Rebuilt::new(device, origin)),
            choices: Choices::default(),
        }))
    }
}

/// Name, kind and driver.
impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { info, driver, .. } = &*self.0;
        match info.kind {
            DeviceKind::Twin => write!(f, "{} ({})", info.name, info.kind),
            _ => write!(f, "{} ({}, {driver})", info.name, info.kind),
        }
    }
}
