//! Devices of the user's own.

use super::Hardware;
use super::device::Device;
use super::rebuild::Origin;
use crate::error::Error;
use crate::gpu::Gpu;
use crate::stage::IntoResult;

/// With the feature `gpu`.
impl Gpu {
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
        Self::on(Hardware::new(Device::new(device, queue), Origin::Given))
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
        let device = Device::new(device, queue);
        Ok(Self::on(Hardware::new(device, Origin::Factory(Box::new(make)))))
    }
}
