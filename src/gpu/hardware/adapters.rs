//! Which adapters there are, and in what order.

use super::Hardware;
use super::device::Device;
use super::rebuild::Origin;
use crate::error::Cause;
use crate::gpu::driver::Driver;
use crate::gpu::named::rank;
use crate::stage::{DeviceInfo, DeviceKind};

/// Every adapter, the best kind first; one that several backends offer stands here once.
pub(in crate::gpu) struct Adapters(Vec<wgpu::Adapter>);

impl Adapters {
    pub(in crate::gpu) fn all() -> Self {
        Self(all())
    }

    pub(in crate::gpu) fn infos(&self) -> Vec<DeviceInfo> {
        self.0.iter().map(|adapter| describe(&adapter.get_info())).collect()
    }

    /// Opens the one at `index`.
    pub(in crate::gpu) fn open(&self, index: usize) -> Result<Box<dyn Driver>, Cause> {
        let origin = Origin::Adapter(Box::new(identify(&self.0, index)));
        Ok(Hardware::new(Device::open(&self.0[index])?, origin))
    }
}

pub(super) fn all() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    adapters.sort_by_key(|adapter| {
        let adapter = adapter.get_info();
        (rank(describe(&adapter).kind), backend_rank(adapter.backend))
    });
    let mut seen: Vec<wgpu::AdapterInfo> = Vec::new();
    adapters.retain(|adapter| {
        let adapter = adapter.get_info();
        let twice = seen.iter().any(|other| other.backend != adapter.backend && same_card(other, &adapter));
        seen.push(adapter);
        !twice
    });
    adapters
}

/// What an adapter says of itself, and which it is of those that say the same.
#[derive(Debug)]
pub(super) struct Identity {
    info: wgpu::AdapterInfo,
    rank: usize,
}

pub(super) fn identify(adapters: &[wgpu::Adapter], index: usize) -> Identity {
    let info = adapters[index].get_info();
    let rank = adapters[..index].iter().filter(|adapter| adapter.get_info() == info).count();
    Identity { info, rank }
}

/// The same adapter, asked for anew: a driver that was reset does not answer through the old one.
pub(super) fn again(identity: &Identity) -> Result<wgpu::Adapter, Cause> {
    let mut same = all().into_iter().filter(|adapter| adapter.get_info() == identity.info);
    let gone = || Cause::msg(format!("{} is not there any more", identity.info.name));
    same.nth(identity.rank).ok_or_else(gone)
}

fn same_card(one: &wgpu::AdapterInfo, other: &wgpu::AdapterInfo) -> bool {
    (one.vendor, one.device) == (other.vendor, other.device)
}

fn backend_rank(backend: wgpu::Backend) -> u8 {
    match backend {
        wgpu::Backend::Vulkan | wgpu::Backend::Metal => 0,
        wgpu::Backend::Dx12 => 1,
        _ => 2,
    }
}

pub(super) fn describe(adapter: &wgpu::AdapterInfo) -> DeviceInfo {
    DeviceInfo::new(
        adapter.name.clone(),
        match adapter.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => DeviceKind::Integrated,
            wgpu::DeviceType::Cpu => DeviceKind::Software,
            wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => DeviceKind::Other,
        },
    )
}

pub(super) fn driver(adapter: &wgpu::AdapterInfo) -> String {
    let parts = [adapter.backend.to_str(), &adapter.driver, &adapter.driver_info];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
