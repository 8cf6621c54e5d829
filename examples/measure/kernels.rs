//! How fast each kernel runs, and how near to the device's copy bandwidth it comes.

use std::fmt::Write;

use gapless::gpu::{Bandwidth, KernelTime};
use gapless::{Cause, Gpu, GpuStage};
use ndarray::Array3;
use serde_json::json;

use crate::network::network;
use crate::{Failure, Section};

pub(crate) const BATCH: usize = 16;
pub(crate) const SIDE: usize = 224;

pub(crate) fn section(gpu: &Gpu, bandwidth: &Bandwidth) -> Result<Section, Failure> {
    let mut net = network(gpu, SIDE)?;
    let opened: Result<_, Cause> =
        GpuStage::<Array3<u8>>::open(&mut net, BATCH).and_then(|()| net.profile(BATCH));
    let profile = opened.map_err(|cause| cause.to_string())?;
    let share = |kernel: &KernelTime| kernel.bytes_per_second() / bandwidth.copy;
    let mut text = format!("batches of {BATCH}\n");
    writeln!(
        text,
        "{:<24} {:<18} {:>9} {:>8} {:>8} {:>8}",
        "kernel", "output", "ms", "GB/s", "of copy", "Gma/s"
    )?;
    for kernel in &profile.kernels {
        let KernelTime { name, shape, seconds, .. } = kernel;
        let (ms, bytes) = (seconds * 1e3, kernel.bytes_per_second() / 1e9);
        let (share, multiply_adds) = (share(kernel), kernel.multiply_adds_per_second() / 1e9);
        writeln!(text, "{name:<24} {shape:<18} {ms:>9.3} {bytes:>8.2} {share:>8.2} {multiply_adds:>8.2}")?;
    }
    let rows = profile.kernels.iter().map(|kernel| {
        let mut row = json!(kernel);
        row["bytes_per_second"] = json!(kernel.bytes_per_second());
        row["multiply_adds_per_second"] = json!(kernel.multiply_adds_per_second());
        row["share_of_copy"] = json!(share(kernel));
        row
    });
    let rows: Vec<_> = rows.collect();
    Ok(Section { name: "kernels", text, json: json!({ "batch": BATCH, "kernels": rows }) })
}
