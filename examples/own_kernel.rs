//! A kernel of your own in the middle of a network: the channel shuffle of ShuffleNet, between two grouped
//! convolutions (Zhang et al., 2017, <https://arxiv.org/abs/1707.01083>).
//!
//! ```sh
//! cargo run --release --example own_kernel -- [DEVICE] [PHOTO…]
//! ```
//! It runs on the device and on the twins, and prints how far they are apart.

#[path = "common/failure.rs"]
mod failure;
#[path = "common/terminal.rs"]
mod terminal;
#[path = "common/three.rs"]
mod three;

use std::path::PathBuf;
use std::process::ExitCode;

use gapless::gpu::TensorId;
use gapless::image::Loader;
use gapless::kernel::{Conv2d, GlobalAveragePool, Normalize, Softmax, Spec, Values, Wgsl};
use gapless::{Cause, Error, Gpu, OnFailure, Pipeline, Program};
use ndarray::{ArrayD, IxDyn};
use terminal::{Problem, print};

const HELP: &str = "own_kernel [DEVICE] [PHOTO...]

DEVICE  cpu (the twins), software, or a part of an adapter's name; default the best there is
PHOTO   default three of the repository";

/// Channel `c` of the output is channel `c % groups * (channels / groups) + c / groups` of the input.
const CHANNEL_SHUFFLE: &str = "
struct Params { len: u32, plane: u32, groups: u32, channels: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = (group.y * groups.x + group.x) * 64u + local;
    if index >= params.len {
        return;
    }
    let channel = index / params.plane;
    let source = channel % params.groups * (params.channels / params.groups) + channel / params.groups;
    let item = group.z * params.len;
    y[item + index] = x[item + source * params.plane + index % params.plane];
}";

fn channel_shuffle(groups: usize) -> Wgsl {
    Wgsl::new("channel_shuffle", CHANNEL_SHUFFLE)
        .output(move |inputs| match inputs {
            [x] if x.shape.len() == 3 && x.shape[0].is_multiple_of(groups) => Ok((*x).clone()),
            _ => Err(Cause::msg(format!("[a multiple of {groups}, height, width] would fit"))),
        })
        .params(move |_, output| {
            let [channels, height, width] = output.shape[..] else {
                unreachable!("the shape rule takes three")
            };
            [output.len(), height * width, groups, channels].map(|number| number as u32)
        })
        .twin(move |inputs, mut output| {
            let Values::F32(x) = &inputs[0] else { unreachable!("a convolution gives floats") };
            let share = x.shape()[0] / groups;
            for (channel, mut plane) in output.outer_iter_mut().enumerate() {
                plane.assign(&x.index_axis(ndarray::Axis(0), channel % groups * share + channel / groups));
            }
        })
}

/// Normalise, grouped convolution, shuffle, grouped convolution, mean, shares.
fn network(gpu: &Gpu) -> Result<Program, Error> {
    let mut net = Program::new(gpu);
    let photo = net.input("photo", Spec::bytes(&[64, 64, 3]))?;
    let pixels = net.add(Normalize::new([127.0; 3], [128.0; 3]), &[photo])?;
    let stem = convolve(&mut net, Conv2d::new().stride([2, 2]), pixels, &[12, 3, 3, 3])?;
    let grouped = convolve(&mut net, Conv2d::new().groups(3), stem, &[12, 4, 3, 3])?;
    let shuffled = net.add(channel_shuffle(3), &[grouped])?;
    let grouped = convolve(&mut net, Conv2d::new().groups(3), shuffled, &[12, 4, 3, 3])?;
    let means = net.add(GlobalAveragePool::new(), &[grouped])?;
    let shares = net.add(Softmax::new(), &[means])?;
    net.output("shares", shares)?;
    Ok(net)
}

/// A convolution with weights that are the same everywhere.
fn convolve(net: &mut Program, conv: Conv2d, x: TensorId, shape: &[usize; 4]) -> Result<TensorId, Error> {
    let value =
        |index: IxDyn| ((index[0] * 7 + index[1] * 5 + index[2] * 3 + index[3]) % 11) as f32 / 11.0 - 0.4;
    let name = format!("weight of {x:?}");
    let weight = net.constant(&name, ArrayD::from_shape_fn(IxDyn(shape), value))?;
    net.add(conv, &[x, weight])
}

fn shares(net: Program, photos: &[PathBuf]) -> Result<Vec<f32>, Problem> {
    let pipeline = Pipeline::new(Loader::rgb8(64, 64), net).on_failure(OnFailure::Stop);
    let mut shares = Vec::new();
    for batch in pipeline.run(photos.to_vec()) {
        let batch = batch?;
        if let Some(failure) = batch.failures().first() {
            return Err(failure::named(failure).into());
        }
        batch.rows().for_each(|(_, row)| shares.extend_from_slice(&row["shares"]));
    }
    Ok(shares)
}

fn main() -> ExitCode {
    terminal::exit("own_kernel", run())
}

fn run() -> Result<(), Problem> {
    let Some(arguments) = terminal::values(HELP)? else { return Ok(()) };
    let mut arguments = arguments.into_iter();
    let gpu = arguments.next().map_or_else(Gpu::best, |name| Gpu::named(&name))?;
    let photos = three::photos_or_three(arguments);
    let net = network(&gpu)?;
    let (device, twin) = (shares(net.on(&gpu), &photos)?, shares(net.on(&Gpu::cpu()), &photos)?);
    // Which variants run is known once the program was opened.
    print(&format!("{}\n", net.plan(16)?))?;
    for (photo, shares) in photos.iter().zip(device.chunks(12)) {
        print(&format!("{:<24} {:.3?}", terminal::name(photo), &shares[..4]))?;
    }
    let apart = device.iter().zip(&twin).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    Ok(print(&format!("{gpu} and the twins are {apart:e} apart"))?)
}
