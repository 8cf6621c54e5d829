//! Which devices there are, in what order, and which one a name means.

use crate::error::Cause;
use crate::stage::{DeviceInfo, DeviceKind};

/// Every adapter, the best kind first; one that several backends offer stands here once.
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

fn rank(kind: DeviceKind) -> u8 {
    match kind {
        DeviceKind::Discrete => 0,
        DeviceKind::Integrated => 1,
        DeviceKind::Other => 2,
        DeviceKind::Software => 3,
        DeviceKind::Twin => 4,
    }
}

fn backend_rank(backend: wgpu::Backend) -> u8 {
    match backend {
        wgpu::Backend::Vulkan | wgpu::Backend::Metal => 0,
        wgpu::Backend::Dx12 => 1,
        _ => 2,
    }
}

/// Index of the best device that is no software, if there is one.
pub(super) fn best(kinds: &[DeviceKind]) -> Option<usize> {
    let hardware = (0..kinds.len()).filter(|&index| !kinds[index].shares_cpu());
    hardware.min_by_key(|&index| rank(kinds[index]))
}

/// Index of the device that `name` means, if there is one.
pub(super) fn find(infos: &[DeviceInfo], name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    if name == "software" {
        return infos.iter().position(|info| info.kind == DeviceKind::Software);
    }
    infos.iter().position(|info| !name.is_empty() && info.name.to_lowercase().contains(&name))
}

pub(super) fn no_such_device(infos: &[DeviceInfo], name: &str) -> String {
    let missing = match name {
        "software" => "there is no software Vulkan here (on Debian: the package mesa-vulkan-drivers)".into(),
        _ => format!("no device is called {name:?}"),
    };
    let there: Vec<String> =
        infos.iter().chain([&twins()]).map(|info| format!("{} ({})", info.name, info.kind)).collect();
    format!("{missing}; there is: {}", there.join(", "))
}

pub(super) fn twins() -> DeviceInfo {
    DeviceInfo::new("cpu", DeviceKind::Twin)
}

pub(super) fn info(adapter: &wgpu::Adapter) -> DeviceInfo {
    describe(&adapter.get_info())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_device_is_discrete_then_integrated_and_never_software() {
        use DeviceKind::{Discrete, Integrated, Other, Software};
        assert_eq!(best(&[Software, Integrated, Discrete]), Some(2));
        assert_eq!(best(&[Software, Other, Integrated]), Some(2));
        assert_eq!(best(&[Software]), None);
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn a_name_is_found_by_a_part_of_it_in_either_case() {
        let infos = [
            DeviceInfo::new("llvmpipe (LLVM 15)", DeviceKind::Software),
            DeviceInfo::new("NVIDIA H100", DeviceKind::Discrete),
        ];
        assert_eq!(find(&infos, "h100"), Some(1));
        assert_eq!(find(&infos, "LLVMPIPE"), Some(0));
        assert_eq!(find(&infos, "software"), Some(0));
        assert_eq!(find(&infos, "radeon"), None);
        assert_eq!(find(&infos, ""), None);
    }

    #[test]
    fn the_error_for_an_unknown_name_lists_what_there_is() {
        let infos = [DeviceInfo::new("NVIDIA H100", DeviceKind::Discrete)];
        let reason = no_such_device(&infos, "radeon");
        assert_eq!(reason, "no device is called \"radeon\"; there is: NVIDIA H100 (discrete), cpu (twin)");
    }
}
