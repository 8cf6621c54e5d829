//! Devices that a test makes with wgpu, and can destroy.

use std::sync::{Arc, Mutex};

use gapless::Gpu;

use crate::common::device;

/// A device made with wgpu by the test itself, which can therefore destroy it.
///
/// `None` where GPU tests are left out, and on the twins, which are no device.
pub(crate) fn own_device() -> Option<(Gpu, wgpu::Device)> {
    let (device, queue) = make(&wgpu_device_name()?, wgpu::Limits::default());
    Some((Gpu::from_wgpu(device.clone(), queue), device))
}

/// As [`own_device`], where the device is made again after a loss.
pub(crate) fn rebuilt_device() -> Option<(Gpu, Made)> {
    let (name, made) = (wgpu_device_name()?, Made::default());
    let list = made.clone();
    let gpu = Gpu::from_wgpu_with(move || {
        let (device, queue) = make(&name, wgpu::Limits::default());
        list.add(device.clone());
        (device, queue)
    });
    Some((gpu.expect("it was opened before"), made))
}

/// The devices that were made, the newest last.
#[derive(Clone, Default)]
pub(crate) struct Made(Arc<Mutex<Vec<wgpu::Device>>>);

impl Made {
    pub(crate) fn add(&self, device: wgpu::Device) {
        self.0.lock().unwrap().push(device);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn newest(&self) -> wgpu::Device {
        self.0.lock().unwrap().last().expect("one is made at the start").clone()
    }
}

fn wgpu_device_name() -> Option<String> {
    let name = device()?.info().name.clone();
    if name == "cpu" {
        eprintln!("left out: the twins are no wgpu device");
        return None;
    }
    Some(name)
}

pub(crate) fn adapter(name: &str) -> wgpu::Adapter {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    adapters.into_iter().find(|adapter| adapter.get_info().name == name).expect("it was opened")
}

pub(crate) fn make(name: &str, required_limits: wgpu::Limits) -> (wgpu::Device, wgpu::Queue) {
    make_with(name, required_limits, wgpu::Features::empty())
}

pub(crate) fn make_with(
    name: &str,
    required_limits: wgpu::Limits,
    required_features: wgpu::Features,
) -> (wgpu::Device, wgpu::Queue) {
    let wanted = wgpu::DeviceDescriptor { required_limits, required_features, ..Default::default() };
    pollster::block_on(adapter(name).request_device(&wanted)).expect("it was opened before")
}
