//! What each kernel of a network reaches, as a share of a copy and of a large matrix product of the same run.
//!
//! The network is EfficientNet-Lite0. A kernel near the copy's bytes a second is limited by memory, one
//! near the product's multiply-adds a second by arithmetic; one far from both can be made faster.
//! `GAPLESS_DEVICE` names the device, `software` by default; `cpu` times the twins.
//!
//! Run with `cargo bench --bench kernels`.

mod network;

use std::time::Duration;

use gapless::gpu::{KernelTime, Profile};
use gapless::kernel::{MatMul, Spec};
use gapless::{Gpu, GpuStage, Program};
use ndarray::{ArrayD, IxDyn};

/// Rows, columns and terms of the product that is the yardstick.
const SIDE: usize = 512;

fn main() {
    let name = std::env::var("GAPLESS_DEVICE").unwrap_or_else(|_| "software".into());
    let gpu = Gpu::named(&name).unwrap_or_else(|error| panic!("{error}"));
    let rows =
        std::env::var("GAPLESS_ROWS").map_or(1, |rows| rows.parse().expect("GAPLESS_ROWS is a number"));
    let copy = gpu.bandwidth(64 << 20).unwrap_or_else(|error| panic!("{error}")).copy;
    let product = large_product(&gpu).multiply_adds_per_second();
    println!("{gpu}: copy {:.2} GB/s, product {:.2} Gma/s; {rows} items a batch", copy / 1e9, product / 1e9);
    let mut net = network::lite0(&gpu).unwrap_or_else(|error| panic!("{error}"));
    check(&mut net, rows);
    let profile = net.profile(rows).unwrap_or_else(|error| panic!("{error}"));
    print(&profile, copy, product);
}

fn print(profile: &Profile, copy: f64, product: f64) {
    println!(
        "{:<24} {:<20} {:>9} {:>7} {:>7} {:>6} {:>7}",
        "tensor", "shape", "ms", "GB/s", "Gma/s", "copy", "product"
    );
    for kernel in &profile.kernels {
        let KernelTime { name, shape, seconds, .. } = kernel;
        let (bytes, adds) = (kernel.bytes_per_second(), kernel.multiply_adds_per_second());
        println!(
            "{name:<24} {shape:<20} {:>9.3} {:>7.2} {:>7.2} {:>6.3} {:>7.3}",
            seconds * 1e3,
            bytes / 1e9,
            adds / 1e9,
            bytes / copy,
            adds / product,
        );
    }
    let seconds = profile.seconds();
    let adds: u64 = profile.kernels.iter().map(|kernel| kernel.multiply_adds).sum();
    println!(
        "{:.1} ms an item, {:.2} items a second, {:.2} Gma/s, {:.3} of the product",
        seconds * 1e3 / profile.rows as f64,
        profile.rows as f64 / seconds,
        adds as f64 / seconds / 1e9,
        adds as f64 / seconds / product,
    );
}

/// Opens the network and compares its result with the twins'; every row is the same item.
fn check(net: &mut Program, rows: usize) {
    let item = ArrayD::from_shape_fn(IxDyn(&network::SHAPE), |at| {
        ((at[0] * 7 + at[1] * 3 + at[2]) % 17) as f32 / 8.0 - 1.0
    });
    let device = run(net, &vec![item.clone(); rows], "prob");
    let twin = run(&mut net.on(&Gpu::cpu()), &[item], "prob");
    for row in device.outer_iter() {
        for (device, twin) in row.iter().zip(&twin) {
            assert!((device - twin).abs() < 1e-5, "{device} on the device, {twin} on the twin");
        }
    }
}

fn run(net: &mut Program, batch: &[ArrayD<f32>], output: &str) -> ArrayD<f32> {
    GpuStage::<ArrayD<f32>>::open(net, batch.len()).unwrap_or_else(|error| panic!("{error}"));
    let mut ticket = net.submit(batch).unwrap_or_else(|error| panic!("{}", error.cause()));
    let minute = Duration::from_secs(60);
    let result = GpuStage::<ArrayD<f32>>::try_collect(net, &mut ticket, minute);
    result.unwrap_or_else(|error| panic!("{}", error.cause())).expect("a batch is done within a minute")
        [output]
        .to_owned()
}

/// The largest share of the arithmetic that a product of matrices reaches here.
fn large_product(gpu: &Gpu) -> KernelTime {
    let mut net = Program::new(gpu).depth(1);
    let a = net.input("a", Spec::floats(&[SIDE, SIDE])).expect("a new name");
    let b = net.constant("b", ArrayD::from_elem(IxDyn(&[SIDE, SIDE]), 0.5)).expect("a new name");
    let y = net.add(MatMul::new(), &[a, b]).expect("matrices");
    net.output("y", y).expect("a new name");
    let y = run(&mut net, &[ArrayD::from_elem(IxDyn(&[SIDE, SIDE]), 2.0)], "y");
    assert!(y.iter().all(|value| *value == SIDE as f32), "512 times 2 times 0.5");
    net.profile(1).unwrap_or_else(|error| panic!("{error}")).kernels.swap_remove(0)
}
