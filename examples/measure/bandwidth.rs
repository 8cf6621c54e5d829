//! How fast the device moves bytes.

use gapless::Gpu;
use gapless::gpu::Bandwidth;
use serde_json::json;

use crate::{Failure, Section};

const MEGABYTES: u64 = 64;

pub(crate) fn section(gpu: &Gpu) -> Result<(Bandwidth, Section), Failure> {
    let measured = gpu.bandwidth(MEGABYTES << 20)?;
    let rate = |rate: Option<f64>| rate.map_or("-".into(), |rate| format!("{:.2} GB/s", rate / 1e9));
    let text = format!(
        "copy       {} read and written on the device\nupload     {}\nreadback   {}",
        rate(Some(measured.copy)),
        rate(measured.upload),
        rate(measured.readback),
    );
    Ok((measured, Section { name: "bandwidth", text, json: json!(measured) }))
}
