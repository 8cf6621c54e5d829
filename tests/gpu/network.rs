//! A small network gives on a device what it gives on the twins.

#[path = "../../examples/common/network.rs"]
mod small;

use std::time::Duration;

use gapless::kernel::{Binary, GlobalAveragePool, Normalize, Spec, Values, Wgsl};
use gapless::{Cause, Gpu, GpuStage, Pipeline, Program, Rows, Tensors};
use ndarray::{Array1, Array2, Array3, Array4};
use small::small_network;

use crate::common::device;

const SIDE: usize = 40;
const BATCH: usize = 5;

type Photo = Array3<u8>;

fn photo(seed: usize) -> Photo {
    Photo::from_shape_fn((SIDE, SIDE, 3), |(y, x, c)| ((seed * 131 + y * 17) ^ (x * 29 + c * 71)) as u8)
}

fn open(gpu: &Gpu) -> Program {
    let mut net = small_network(gpu, SIDE).unwrap();
    GpuStage::<Photo>::open(&mut net, BATCH).unwrap();
    net
}

fn run(net: &mut Program, photos: &[Photo]) -> Tensors {
    let mut ticket = net.submit(photos).unwrap();
    let minute = Duration::from_secs(60);
    GpuStage::<Photo>::try_collect(net, &mut ticket, minute).unwrap().expect("done within a minute")
}

/// A NaN on one side fails it too.
fn assert_near(one: &Tensors, other: &Tensors) {
    for ((name, one), (_, other)) in one.iter().zip(other.iter()) {
        assert_eq!(one.shape(), other.shape(), "{name}");
        one.iter().zip(other).for_each(|(a, b)| assert!((a - b).abs() <= 1e-5, "{name}: {a} and {b}"));
    }
}

#[test]
fn device_and_twin_agree_for_every_batch_size() {
    let Some(gpu) = device() else { return };
    let (mut net, mut twin) = (open(&gpu), open(&Gpu::cpu()));
    for n in 1..=BATCH {
        let photos: Vec<Photo> = (0..n).map(|index| photo(n + index)).collect();
        assert_near(&run(&mut net, &photos), &run(&mut twin, &photos));
    }
}

#[test]
fn a_photo_gets_the_same_row_in_every_batch() {
    let Some(gpu) = device() else { return };
    let mut net = open(&gpu);
    let photos: Vec<Photo> = (0..BATCH).map(photo).collect();
    let together = run(&mut net, &photos);
    for (index, photo) in photos.iter().enumerate() {
        let alone = run(&mut net, std::slice::from_ref(photo));
        for (name, tensor) in alone.iter() {
            let row = together[name].index_axis(ndarray::Axis(0), index);
            assert_eq!(tensor.index_axis(ndarray::Axis(0), 0), row, "{name} of photo {index}");
        }
    }
}

#[test]
fn shares_sum_to_one_and_differ_between_photos() {
    let Some(gpu) = device() else { return };
    let mut net = open(&gpu);
    let tensors = run(&mut net, &[photo(1), photo(2)]);
    for row in tensors["prob"].outer_iter() {
        assert!((row.sum() - 1.0).abs() < 1e-5);
    }
    assert_ne!(
        tensors["prob"].index_axis(ndarray::Axis(0), 0),
        tensors["prob"].index_axis(ndarray::Axis(0), 1)
    );
}

#[test]
fn a_pipeline_gives_every_photo_its_row_in_order() {
    let Some(gpu) = device() else { return };
    let prepare = |seed: &mut usize| Ok::<Photo, Cause>(photo(*seed));
    let mut twin = open(&Gpu::cpu());
    let pipeline = Pipeline::new(prepare, small_network(&gpu, SIDE).unwrap()).batch_size(BATCH).workers(2);
    let mut next = 0;
    for batch in pipeline.run(0..23) {
        let batch = batch.unwrap();
        let photos: Vec<Photo> = batch.documents().iter().map(|seed| photo(*seed)).collect();
        assert_eq!(batch.documents()[0], next);
        next += batch.len();
        assert_near(batch.output().unwrap(), &run(&mut twin, &photos));
    }
    assert_eq!(next, 23);
}

#[test]
fn no_buffer_is_made_while_batches_run() {
    let Some(gpu) = device() else { return };
    let mut net = open(&gpu);
    let made = gpu.buffers_made();
    for seed in 0..10 {
        run(&mut net, &[photo(seed)]);
    }
    assert_eq!(gpu.buffers_made(), made);
}

/// Runs one batch on a device and on the twins, and compares them.
fn same_on_both<I: gapless::gpu::Item>(net: &Program, batch: &[I]) -> gapless::Tensors {
    let run = |mut net: Program| {
        GpuStage::<I>::open(&mut net, batch.len()).unwrap();
        let mut ticket = net.submit(batch).unwrap();
        GpuStage::<I>::try_collect(&mut net, &mut ticket, Duration::from_secs(60))
            .unwrap()
            .expect("a minute is enough")
    };
    let (device, twin) = (run(net.on(net.gpu())), run(net.on(&Gpu::cpu())));
    for ((name, device), (_, twin)) in device.iter().zip(twin.iter()) {
        assert_eq!(device.shape(), twin.shape(), "{name}");
        device.iter().zip(twin).for_each(|(a, b)| assert!((a - b).abs() <= 1e-5, "{name}: {a} and {b}"));
    }
    device
}

#[test]
fn a_program_with_several_inputs_takes_an_array_for_each() {
    let Some(gpu) = device() else { return };
    let mut net = Program::new(&gpu);
    let pixels = net.input("pixels", Spec::bytes(&[2, 1, 3])).unwrap();
    let shift = net.input("shift", Spec::floats(&[2, 3])).unwrap();
    let planes = net.add(Normalize::new([0.0; 3], [1.0; 3]), &[pixels]).unwrap();
    let rows = net.reshape(planes, &[3, 2]).unwrap();
    let shift = net.reshape(shift, &[3, 2]).unwrap();
    let sum = net.add(Binary::add(), &[rows, shift]).unwrap();
    net.output("sum", sum).unwrap();
    let item = |first: u8| {
        let pixels = Array3::from_shape_fn((2, 1, 3), |(y, _, c)| first + 3 * y as u8 + c as u8);
        (pixels, Array2::from_elem((2, 3), 0.5))
    };
    let tensors = same_on_both(&net, &[item(1), item(11)]);
    assert_eq!(&tensors.row(1)["sum"][..], [11.5, 14.5, 12.5, 15.5, 13.5, 16.5]);
}

#[test]
fn each_part_of_an_item_is_done_as_an_item_of_its_own() {
    let Some(gpu) = device() else { return };
    let mut net = Program::new(&gpu);
    let frames = net.input("frames", Spec::floats(&[4, 2, 3, 3])).unwrap();
    let means = net.add_each(GlobalAveragePool::new(), &[frames]).unwrap();
    net.output("means", means).unwrap();
    let item = |scale: f32| Array4::from_shape_fn((4, 2, 3, 3), |(f, c, _, _)| scale * (2 * f + c) as f32);
    let tensors = same_on_both(&net, &[item(1.0), item(10.0), item(0.5)]);
    assert_eq!(tensors["means"].shape(), [3, 4, 2]);
    assert_eq!(&tensors.row(1)["means"][..], [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]);
}

#[test]
fn pixels_for_a_network_of_floats_are_refused_unless_they_are_normalised() {
    let mut net = Program::new(&Gpu::cpu());
    let planes = net.input("photo", Spec::floats(&[3, 4, 5])).unwrap();
    let means = net.add(GlobalAveragePool::new(), &[planes]).unwrap();
    net.output("means", means).unwrap();
    let refused = GpuStage::<Array3<u8>>::open(&mut net, 1).unwrap_err().to_string();
    assert!(refused.contains("photo f32[3,4,5]") && refused.contains("normalize"), "{refused}");
    assert!(refused.contains("the items are of u8;"), "{refused}");
    for (mean, std) in [(f32::NAN, 1.0), (0.0, 0.0)] {
        let mut broken = net.on(&Gpu::cpu()).normalize([mean; 3], [std; 3]);
        let cause = GpuStage::<Array3<u8>>::open(&mut broken, 1).unwrap_err().to_string();
        assert!(cause.starts_with("Program::normalize: mean is ") && cause.contains("std of 0"), "{cause}");
    }
    let wrong = net.on(&Gpu::cpu()).normalize([0.0; 2], [1.0; 2]).plan(1).unwrap_err().to_string();
    assert!(wrong.contains("Program::normalize"), "{wrong}");
    let mut net = net.normalize([1.0; 3], [2.0; 3]);
    GpuStage::<Array3<u8>>::open(&mut net, 1).unwrap();
    let tensors = same_on_both(&net, &[Array3::from_elem((4, 5, 3), 5_u8)]);
    assert_eq!(&tensors.row(0)["means"][..], [2.0; 3]);
}

/// `x * x + 1`, with or without a twin.
fn square(twin: bool) -> Wgsl {
    let kernel = Wgsl::new(
        "square",
        "struct Params { len: u32 }
        @group(0) @binding(0) var<uniform> params: Params;
        @group(0) @binding(1) var<storage, read> x: array<f32>;
        @group(0) @binding(2) var<storage, read_write> y: array<f32>;
        override shift: f32;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x >= params.len { return; }
            let place = id.z * params.len + id.x;
            y[place] = x[place] * x[place] + shift;
        }",
    );
    let kernel = kernel.constant("shift", 1.0);
    if !twin {
        return kernel;
    }
    kernel.twin(|inputs, mut output| {
        let Values::F32(x) = &inputs[0] else { unreachable!("the shape rule takes floats") };
        output.zip_mut_with(x, |y, x| *y = x * x + 1.0);
    })
}

fn squares(gpu: &Gpu, kernel: Wgsl) -> Program {
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(&[70])).unwrap();
    let doubled = net.add(Binary::add(), &[x, x]).unwrap();
    let squared = net.add(kernel, &[doubled]).unwrap();
    net.output("y", squared).unwrap();
    net
}

#[test]
fn a_kernel_of_ones_own_runs_in_the_middle_of_a_network() {
    let Some(gpu) = device() else { return };
    let batch = [Array1::from_elem(70, 1.0_f32), Array1::from_elem(70, 3.0)];
    let tensors = same_on_both(&squares(&gpu, square(true)), &batch);
    assert_eq!((tensors["y"][[0, 69]], tensors["y"][[1, 0]]), (5.0, 37.0));
}

#[test]
fn a_kernel_without_twin_runs_on_devices_alone() {
    let refused =
        GpuStage::<Array1<f32>>::open(&mut squares(&Gpu::cpu(), square(false)), 1).unwrap_err().to_string();
    assert!(refused.contains("square has no twin"), "{refused}");
    let Some(gpu) = device() else { return };
    if gpu.info().name != "cpu" {
        GpuStage::<Array1<f32>>::open(&mut squares(&gpu, square(false)), 1).unwrap();
    }
}

#[test]
fn text_that_is_no_wgsl_is_refused_with_its_line() {
    let Some(gpu) = device() else { return };
    if gpu.info().name == "cpu" {
        return;
    }
    let broken = Wgsl::new("broken", "@compute @workgroup_size(64)\nfn main() { let x = ; }");
    let refused = GpuStage::<Array1<f32>>::open(&mut squares(&gpu, broken), 1).unwrap_err().to_string();
    assert!(refused.contains("kernel broken") && refused.contains("2:"), "{refused}");
}

#[test]
fn the_report_says_where_the_time_of_the_device_goes() {
    let Some(gpu) = device() else { return };
    for gpu in [gpu, Gpu::cpu()] {
        let prepare = |seed: &mut usize| Ok::<_, Cause>(photo(*seed));
        let net = small_network(&gpu, SIDE).unwrap();
        let kernels = net.plan(BATCH).unwrap().to_string().lines().count() - 3;
        let mut run = Pipeline::new(prepare, net).batch_size(BATCH).run(0..4 * BATCH);
        run.by_ref().for_each(|batch| drop(batch.unwrap()));
        let report = run.report();
        let device = &report.devices[0];
        assert!(device.device_s.is_some(), "{gpu} has a clock");
        assert_eq!(device.kernels.len(), kernels, "{gpu}");
        let shares: f64 = device.kernels.iter().map(|kernel| kernel.share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{gpu}: the shares are {shares} in all");
        assert!(device.kernels[0].name.starts_with("normalize.0 f32["), "{}", device.kernels[0].name);
        assert!(report.to_string().contains("by its own clock; most in"), "{report}");
    }
}

/// The events of a trace with this phase.
fn events<'a>(trace: &'a serde_json::Value, phase: &str) -> impl Iterator<Item = &'a serde_json::Value> {
    let events = trace["traceEvents"].as_array().expect("it has events");
    events.iter().filter(move |event| event["ph"] == phase)
}

/// Begin and end of an event, in nanoseconds.
fn time(event: &serde_json::Value) -> (u64, u64) {
    let nanos = |name: &str| (event[name].as_f64().expect("a time is a number") * 1000.0).round() as u64;
    (nanos("ts"), nanos("ts") + nanos("dur"))
}

#[test]
fn a_trace_shows_the_device_by_its_own_clock() {
    let Some(gpu) = device() else { return };
    if gpu.info().name == "cpu" {
        return;
    }
    let prepare = |seed: &mut usize| Ok::<_, Cause>(photo(*seed));
    let net = small_network(&gpu, SIDE).unwrap();
    let kernels = net.plan(BATCH).unwrap().to_string().lines().count() - 3;
    let mut run = Pipeline::new(prepare, net).batch_size(BATCH).trace(true).run(0..4 * BATCH);
    run.by_ref().for_each(|batch| drop(batch.unwrap()));
    let mut text = Vec::new();
    run.timeline().unwrap().write_trace(&mut text).unwrap();
    let trace: serde_json::Value = serde_json::from_slice(&text).unwrap();
    // The device is the second process: its own clock is the first track, its slots are the others.
    let of_device = |event: &&serde_json::Value| event["pid"] == 2;
    let (own, slots): (Vec<_>, Vec<_>) =
        events(&trace, "X").filter(of_device).partition(|event| event["tid"] == 1);
    let batch = |event: &&&serde_json::Value| event["args"]["batch"].is_u64();
    let batches: Vec<_> = own.iter().filter(batch).collect();
    assert_eq!((batches.len(), slots.len()), (4, 4), "every batch is there once");
    for (own, slot) in batches.iter().zip(&slots) {
        assert_eq!(own["name"], slot["name"]);
        assert!(time(own).1 <= time(slot).1, "a batch ends before its result is collected");
    }
    let timed: Vec<_> = own.iter().filter(|event| event["args"]["batch"].is_null()).collect();
    assert_eq!(timed.len(), 2 * kernels, "every kernel of the first two batches");
    for kernel in timed {
        let (start, end) = time(kernel);
        let around = batches.iter().any(|batch| time(batch).0 <= start && end <= time(batch).1);
        assert!(around, "{kernel} lies in no batch");
    }
}

#[test]
fn the_report_says_what_was_moved_and_held() {
    let Some(gpu) = device() else { return };
    let prepare = |seed: &mut usize| Ok::<_, Cause>(photo(*seed));
    let net = small_network(&gpu, SIDE).unwrap();
    let plan = net.plan(BATCH).unwrap();
    let mut run = Pipeline::new(prepare, net).batch_size(BATCH).run(0..4 * BATCH);
    let mut rows = 0;
    for batch in run.by_ref() {
        rows +=
            batch.unwrap().output().unwrap().iter().map(|(_, tensor)| 4 * tensor.len() as u64).sum::<u64>();
    }
    let report = run.report();
    let device = &report.devices[0];
    if gpu.info().name == "cpu" {
        return assert_eq!((device.bytes_up, device.memory_bytes), (None, None), "the twins move nothing");
    }
    assert_eq!(device.bytes_up, Some((4 * BATCH * SIDE * SIDE * 3) as u64));
    assert_eq!((device.bytes_down, device.memory_bytes), (Some(rows), Some(plan.memory())));
}
