//! How fast the device moves bytes.

use gapless::Gpu;
use gapless::gpu::Bandwidth;
use serde_json::json;

use crate::Section;
use crate::terminal::Problem;

pub(crate) fn section(gpu: &Gpu, mebibytes: u64) -> Result<(Bandwidth, Section), Problem> {
    let measured = gpu.bandwidth(mebibytes << 20)?;
    let rate = |rate: Option<f64>| rate.map_or("       -".into(), |rate| format!("{:>8.2}", rate / 1e9));
    let text = format!(
        "copy       {} GB/s, read and written where the kernels run\nupload     {} GB/s\nreadback   {} GB/s",
        rate(Some(measured.copy)),
        rate(measured.upload),
        rate(measured.readback),
    );
    Ok((measured, Section { name: "bandwidth", text, json: json!(measured) }))
}
