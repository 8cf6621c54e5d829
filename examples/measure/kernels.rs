//! How fast each kernel runs, and how near to the device's copy of the same run it comes.

use std::fmt::Write;

use gapless::gpu::{Bandwidth, KernelTime};
use gapless::{Cause, Gpu, GpuStage};
use ndarray::Array3;
use serde_json::{Value, json};

use crate::network::small_network;
use crate::terminal::Problem;
use crate::{BATCH, SIDE, Section};

pub(crate) fn section(gpu: &Gpu, bandwidth: &Bandwidth) -> Result<Section, Problem> {
    let mut net = small_network(gpu, SIDE)?;
    let opened: Result<_, Cause> =
        GpuStage::<Array3<u8>>::open(&mut net, BATCH).and_then(|()| net.profile(BATCH));
    let profile = opened.map_err(|cause| cause.to_string())?;
    let mut text = format!(
        "{:<24} {:<18} {:>9} {:>8} {:>8} {:>8}\n",
        format!("batches of {BATCH}"),
        "output",
        "ms",
        "GB/s",
        "of copy",
        "GMA/s"
    );
    for kernel in &profile.kernels {
        writeln!(text, "{}", line(kernel, bandwidth))?;
    }
    writeln!(text, "{:<43} {:>9.3}", "all of them", profile.seconds() * 1e3)?;
    text += "GMA: a thousand million multiply-adds; more than 100 % of the copy stays in a cache";
    let rows: Vec<Value> = profile.kernels.iter().map(|kernel| row(kernel, bandwidth)).collect();
    Ok(Section { name: "kernels", text, json: json!({ "batch": BATCH, "side": SIDE, "kernels": rows }) })
}

fn line(kernel: &KernelTime, bandwidth: &Bandwidth) -> String {
    let KernelTime { name, shape, seconds, .. } = kernel;
    let arithmetic = match kernel.multiply_adds {
        0 => "-".into(),
        _ => format!("{:.2}", kernel.multiply_adds_per_second() / 1e9),
    };
    format!(
        "{name:<24} {shape:<18} {:>9.3} {:>8.2} {:>6.1} % {arithmetic:>8}",
        seconds * 1e3,
        kernel.bytes_per_second() / 1e9,
        share(kernel, bandwidth) * 100.0,
    )
}

fn row(kernel: &KernelTime, bandwidth: &Bandwidth) -> Value {
    let mut row = json!(kernel);
    row["bytes_per_second"] = json!(kernel.bytes_per_second());
    row["multiply_adds_per_second"] = json!(kernel.multiply_adds_per_second());
    row["share_of_copy"] = json!(share(kernel, bandwidth));
    row
}

fn share(kernel: &KernelTime, bandwidth: &Bandwidth) -> f64 {
    kernel.bytes_per_second() / bandwidth.copy
}
