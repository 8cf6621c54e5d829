//! What the device can do, for the shares of the kernels: a copy, and multiply-adds alone. Beside them, on tensors that
//! no cache holds, the two kernels that should come near: the normalisation and a large matrix product.

use gapless::gpu::{Bandwidth, KernelTime};
use gapless::kernel::{GlobalAveragePool, MatMul, Normalize, Spec};
use gapless::{Cause, Gpu, GpuStage, Program};
use ndarray::{Array2, Array3, ArrayD, IxDyn};
use serde_json::{Value, json};

use crate::terminal::Problem;
use crate::{Effort, SIDE, Section, multiply_adds};

/// What the device reaches where nothing holds it back.
pub(crate) struct Yardstick {
    /// Bytes a second, each read and written.
    pub(crate) copy: f64,
    /// Multiply-adds a second; `None` on the twins.
    pub(crate) multiply_adds: Option<f64>,
}

impl Yardstick {
    pub(crate) fn share_of_copy(&self, bytes_per_second: f64) -> f64 {
        bytes_per_second / self.copy
    }

    pub(crate) fn share_of_multiply_adds(&self, multiply_adds_per_second: f64) -> Option<f64> {
        self.multiply_adds.map(|alone| multiply_adds_per_second / alone)
    }
}

/// A share in percent, in so many places.
pub(crate) fn percent(share: Option<f64>, width: usize) -> String {
    share.map_or(format!("{:>width$}", "-"), |share| format!("{:>1$.1} %", share * 100.0, width - 2))
}

/// A run that takes as many seconds is long beside the fixed cost of starting it.
const LONG: f64 = 2e-3;

/// Sides of the product's matrices.
const SIDES: [usize; 5] = [256, 512, 1024, 2048, 4096];

pub(crate) fn section(gpu: &Gpu, effort: &Effort) -> Result<(Yardstick, Section), Problem> {
    let limits = gpu.limits();
    let bytes = (effort.mebibytes << 20).min(limits.buffer_bytes).min(limits.binding_bytes);
    let bandwidth = gpu.bandwidth(bytes)?;
    let measured = || -> Result<_, Cause> {
        let normalize = normalize(gpu, bytes)?;
        Ok((normalize, multiply_adds::per_second(gpu)?, longest(SIDES, |side| product(gpu, side))?))
    };
    let (normalize, multiply_adds, product) = measured().map_err(|cause| cause.to_string())?;
    let yardstick = Yardstick { copy: bandwidth.copy, multiply_adds };
    let text = text(&bandwidth, &normalize, &product, &yardstick);
    let mut json = json!(bandwidth);
    json["multiply_adds"] = json!(multiply_adds);
    json["normalize"] = row(&normalize, &yardstick);
    json["product"] = row(&product, &yardstick);
    Ok((yardstick, Section { name: "yardsticks", text, json }))
}

fn text(
    bandwidth: &Bandwidth,
    normalize: &KernelTime,
    product: &KernelTime,
    yardstick: &Yardstick,
) -> String {
    let rate = |rate: Option<f64>| rate.map_or(format!("{:>9}", "-"), |rate| format!("{:>9.2}", rate / 1e9));
    let (bytes, arithmetic) = (normalize.bytes_per_second(), product.multiply_adds_per_second());
    [
        format!("copy           {} GB/s, read and written where the kernels run", rate(Some(bandwidth.copy))),
        format!("upload         {} GB/s", rate(bandwidth.upload)),
        format!("readback       {} GB/s", rate(bandwidth.readback)),
        format!(
            "normalisation  {} GB/s, {} of the copy",
            rate(Some(bytes)),
            percent(Some(yardstick.share_of_copy(bytes)), 8)
        ),
        format!("multiply-adds  {} GMA/s, in registers and nothing else", rate(yardstick.multiply_adds)),
        format!(
            "product        {} GMA/s, {} of multiply-adds alone: matrices {}, {}",
            rate(Some(arithmetic)),
            percent(yardstick.share_of_multiply_adds(arithmetic), 8),
            product.shape,
            product.variant,
        ),
    ]
    .join("\n")
}

/// What a kernel reached, as a value for programs.
pub(crate) fn row(kernel: &KernelTime, yardstick: &Yardstick) -> Value {
    let (bytes, arithmetic) = (kernel.bytes_per_second(), kernel.multiply_adds_per_second());
    let mut row = json!(kernel);
    row["bytes_per_second"] = json!(bytes);
    row["multiply_adds_per_second"] = json!(arithmetic);
    row["share_of_copy"] = json!(yardstick.share_of_copy(bytes));
    row["share_of_multiply_adds"] = json!(yardstick.share_of_multiply_adds(arithmetic));
    row
}

/// The time of the first size that takes long, or of the last.
pub(crate) fn longest(
    sizes: impl IntoIterator<Item = usize>,
    time: impl Fn(usize) -> Result<KernelTime, Cause>,
) -> Result<KernelTime, Cause> {
    let mut longest = Err(Cause::msg("there is no size"));
    for size in sizes {
        longest = Ok(time(size)?);
        if longest.as_ref().is_ok_and(|time| time.seconds >= LONG) {
            break;
        }
    }
    longest
}

/// The normalisation of as many photos as fill so many bytes with floats.
fn normalize(gpu: &Gpu, bytes: u64) -> Result<KernelTime, Cause> {
    let photos = (bytes as usize / (SIDE * SIDE * 3 * 4)).max(1);
    let mut net = Program::new(gpu).depth(1);
    let photo = net.input("photo", Spec::bytes(&[SIDE, SIDE, 3]))?;
    let pixels = net.add(Normalize::new([127.0; 3], [128.0; 3]), &[photo])?;
    // So that little is read back.
    let means = net.add(GlobalAveragePool::new(), &[pixels])?;
    net.output("means", means)?;
    GpuStage::<Array3<u8>>::open(&mut net, photos)?;
    Ok(net.profile(photos)?.kernels.remove(0))
}

/// The product of two square matrices.
fn product(gpu: &Gpu, side: usize) -> Result<KernelTime, Cause> {
    let mut net = Program::new(gpu).depth(1);
    let a = net.input("a", Spec::floats(&[side, side]))?;
    let b = net.constant("b", ArrayD::from_elem(IxDyn(&[side, side]), 0.5))?;
    let y = net.add(MatMul::new(), &[a, b])?;
    net.output("y", y)?;
    GpuStage::<Array2<f32>>::open(&mut net, 1)?;
    Ok(net.profile(1)?.kernels.remove(0))
}
