//! What machine this is.

use gapless::{DeviceInfo, Gpu};
use serde_json::json;

use crate::Section;

pub(crate) fn section(gpu: &Gpu) -> Section {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let devices = Gpu::list();
    let names: Vec<&str> = devices.iter().map(|DeviceInfo { name, .. }| &name[..]).collect();
    let limits = gpu.limits();
    let text = format!(
        "gapless    {version}\nprocessor  {cores} threads, {arch}, {os}\ndevices    {names}\nmeasured   {gpu}\n\
         limits     {binding} MB a binding, {buffer} MB a buffer, {workgroups} workgroups a dimension,\n           \
         {threads} threads and {shared} KiB a workgroup",
        version = env!("CARGO_PKG_VERSION"),
        names = names.join(", "),
        binding = limits.binding_bytes / 1_000_000,
        buffer = limits.buffer_bytes / 1_000_000,
        workgroups = limits.workgroups,
        threads = limits.workgroup_threads,
        shared = limits.workgroup_bytes / 1024,
    );
    let json = json!({
        "gapless": env!("CARGO_PKG_VERSION"),
        "threads": cores, "os": os, "arch": arch,
        "devices": devices,
        "device": gpu.info(), "driver": gpu.driver(), "limits": limits,
    });
    Section { name: "machine", text, json }
}
