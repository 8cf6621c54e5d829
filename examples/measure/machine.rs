//! What machine this is.

use gapless::gpu::Limits;
use gapless::{DeviceKind, Gpu};
use serde_json::json;

use crate::{Section, workers};

pub(crate) fn section(gpu: &Gpu) -> Section {
    let (os, arch, version) = (std::env::consts::OS, std::env::consts::ARCH, env!("CARGO_PKG_VERSION"));
    let devices = Gpu::list();
    let names: Vec<String> =
        devices.iter().map(|device| format!("{} ({})", device.name, device.kind)).collect();
    let text = format!(
        "gapless    {version}\nprocessor  {} threads, {arch}, {os}\ndevices    {}\nmeasured   {gpu}\nlimits     {}",
        workers(),
        names.join("\n           "),
        limits(gpu),
    );
    let json = json!({
        "gapless": version,
        "threads": workers(), "os": os, "arch": arch,
        "devices": devices,
        "device": gpu.info(), "driver": gpu.driver(), "limits": gpu.limits(),
    });
    Section { name: "machine", text, json }
}

fn limits(gpu: &Gpu) -> String {
    if gpu.info().kind == DeviceKind::Twin {
        return "memory alone".into();
    }
    let Limits {
        binding_bytes,
        buffer_bytes,
        workgroups,
        workgroup_threads,
        workgroup_bytes,
        subgroups,
        f16,
        ..
    } = gpu.limits();
    format!(
        "{} MB a binding, {} MB a buffer, {workgroups} workgroups a dimension,\n           \
         {workgroup_threads} threads and {} KiB a workgroup\n           {}, {}",
        binding_bytes / 1_000_000,
        buffer_bytes / 1_000_000,
        workgroup_bytes / 1024,
        subgroups.map_or("no subgroups".into(), |[least, most]| format!("subgroups of {least} to {most}")),
        if *f16 { "arithmetic in f16" } else { "no arithmetic in f16" },
    )
}
