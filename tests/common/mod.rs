//! What the tests of the GPU half share: the choice of the device, and a small kernel.
#![allow(dead_code, reason = "every test file uses its own part")]

pub(crate) mod forced;
pub(crate) mod kernels;
pub(crate) mod numbers;
pub(crate) mod toy;

use std::sync::{Arc, Mutex};

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
        Ok((device, queue))
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

pub(crate) fn make(name: &str, required_limits: wgpu::Limits) -> (wgpu::Device, wgpu::Queue) {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let adapter =
        adapters.into_iter().find(|adapter| adapter.get_info().name == name).expect("it was opened");
    let wanted = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
    pollster::block_on(adapter.request_device(&wanted)).expect("it was opened before")
}
