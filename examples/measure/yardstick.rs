//! What the device can do, for the shares of the kernels: a copy, and a large matrix product.

use gapless::gpu::Bandwidth;
use gapless::kernel::{MatMul, Spec};
use gapless::{Cause, Gpu, GpuStage, Program};
use ndarray::{Array2, ArrayD, IxDyn};
use serde_json::json;

use crate::terminal::Problem;
use crate::{Effort, Section};

/// Bytes and multiply-adds a second that the device reaches where nothing holds it back.
pub(crate) struct Yardstick {
    pub(crate) copy: f64,
    pub(crate) product: f64,
}

pub(crate) fn section(gpu: &Gpu, effort: &Effort) -> Result<(Yardstick, Section), Problem> {
    let measured = gpu.bandwidth(effort.mebibytes << 20)?;
    let product = product(gpu, effort.product_side).map_err(|cause| cause.to_string())?;
    let rate = |rate: Option<f64>| rate.map_or("       -".into(), |rate| format!("{:>8.2}", rate / 1e9));
    let Bandwidth { copy, upload, readback, .. } = measured;
    let text = format!(
        "copy       {} GB/s, read and written where the kernels run\nupload     {} GB/s\nreadback   {} GB/s\n\
         product    {} GMA/s, of two matrices of {side} × {side} floats",
        rate(Some(copy)),
        rate(upload),
        rate(readback),
        rate(Some(product)),
        side = effort.product_side,
    );
    let mut json = json!(measured);
    json["product"] = json!(product);
    Ok((Yardstick { copy, product }, Section { name: "bandwidth", text, json }))
}

/// Multiply-adds a second of a product of two square matrices.
fn product(gpu: &Gpu, side: usize) -> Result<f64, Cause> {
    let mut net = Program::new(gpu).depth(1);
    let a = net.input("a", Spec::floats(&[side, side]))?;
    let b = net.constant("b", ArrayD::from_elem(IxDyn(&[side, side]), 0.5))?;
    let y = net.add(MatMul::new(), &[a, b])?;
    net.output("y", y)?;
    GpuStage::<Array2<f32>>::open(&mut net, 1)?;
    Ok(net.profile(1)?.kernels[0].multiply_adds_per_second())
}
