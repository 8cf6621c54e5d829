//! How fast each kernel runs, and how near it comes to the device's copy and to multiply-adds alone.

use gapless::gpu::{KernelTime, Profile};
use gapless::{Cause, Gpu, GpuStage};
use ndarray::Array3;
use serde_json::{Value, json};

use crate::small::small_network;
use crate::terminal::Problem;
use crate::yardstick::{Yardstick, percent, row};
use crate::{BATCH, SIDE, Section};

pub(crate) fn section(gpu: &Gpu, yardstick: &Yardstick) -> Result<Section, Problem> {
    let mut net = small_network(gpu, SIDE)?;
    let opened: Result<_, Cause> =
        GpuStage::<Array3<u8>>::open(&mut net, BATCH).and_then(|()| net.profile(BATCH));
    let profile = opened.map_err(|cause| cause.to_string())?;
    let text = table(&profile, yardstick);
    let rows: Vec<Value> = profile.kernels.iter().map(|kernel| row(kernel, yardstick)).collect();
    Ok(Section { name: "kernels", text, json: json!({ "batch": BATCH, "side": SIDE, "kernels": rows }) })
}

/// A line a kernel, and what all of them take.
pub(crate) fn table(profile: &Profile, yardstick: &Yardstick) -> String {
    let batches = format!("batches of {}", profile.rows);
    let heading = [batches.as_str(), "output", "variant", "ms", "GB/s", "of copy", "GMA/s", "of adds"];
    let [what, output, variant, ms, bytes, copy, arithmetic, adds] = heading;
    let heading = format!(
        "{what:<24} {output:<18} {variant:<30} {ms:>9} {bytes:>8} {copy:>8} {arithmetic:>8} {adds:>8}"
    );
    let all = format!("{:<74} {:>9.3}", "all of them", profile.seconds() * 1e3);
    let note = "GMA: a thousand million multiply-adds, of adds: of multiply-adds alone; more than 100 % of the copy stays \
                in a cache";
    let kernels = profile.kernels.iter().map(|kernel| line(kernel, yardstick));
    [heading].into_iter().chain(kernels).chain([all, note.into()]).collect::<Vec<_>>().join("\n")
}

fn line(kernel: &KernelTime, yardstick: &Yardstick) -> String {
    let KernelTime { name, shape, variant, seconds, .. } = kernel;
    let bytes = kernel.bytes_per_second();
    let arithmetic = match kernel.multiply_adds {
        0 => format!("{:>8}", "-"),
        _ => {
            let rate = kernel.multiply_adds_per_second();
            format!("{:>8.2} {}", rate / 1e9, percent(yardstick.share_of_multiply_adds(rate), 8))
        }
    };
    format!(
        "{name:<24} {shape:<18} {variant:<30} {:>9.3} {:>8.2} {} {arithmetic}",
        seconds * 1e3,
        bytes / 1e9,
        percent(Some(yardstick.share_of_copy(bytes)), 8),
    )
}
