//! EfficientNet-Lite0 from its ONNX file gives what ONNX Runtime gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gapless::kernel::Precision;
use gapless::onnx::proto::ModelProto;
use gapless::{Gpu, GpuStage, Program, Tensors};
use ndarray::{Array1, Array3, ArrayViewD, Axis};
use prost::Message as _;

use crate::common::device;

const NAMES: [&str; 5] = ["camera", "chelsea", "coffee", "retina", "rocket"];
const SIDE: usize = 224;

type Photo = Array3<f32>;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The pixels of a crop as the network takes them.
fn photo(name: &str) -> Photo {
    let file = fs::File::open(path(&format!("tests/fixtures/crops/{name}-224.png"))).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.color_type, info.width, info.height), (png::ColorType::Rgb, 224, 224));
    let value =
        |(c, y, x): (usize, usize, usize)| (f32::from(pixels[(y * SIDE + x) * 3 + c]) - 127.0) / 128.0;
    Photo::from_shape_fn((3, SIDE, SIDE), value)
}

/// What ONNX Runtime gives: the floats of a `.npy` file of one row.
fn expected(name: &str, output: &str) -> Array1<f32> {
    let bytes = fs::read(path(&format!("tests/fixtures/crops/{name}-{output}.npy"))).unwrap();
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(String::from_utf8_lossy(&bytes[10..10 + header]).contains("'<f4', 'fortran_order': False"));
    bytes[10 + header..].as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn open(gpu: &Gpu, max_batch: usize) -> Program {
    let mut net = Program::onnx(gpu, path("models/efficientnet-lite0.onnx")).unwrap();
    GpuStage::<Photo>::open(&mut net, max_batch).unwrap();
    net
}

fn run(net: &mut Program, photos: &[Photo]) -> Tensors {
    let mut ticket = net.submit(photos).unwrap();
    GpuStage::<Photo>::try_collect(net, &mut ticket, Duration::from_secs(300)).unwrap().expect("done in time")
}

/// A NaN on one side fails it too.
fn assert_near(given: &ArrayViewD<'_, f32>, wanted: &ArrayViewD<'_, f32>, tolerance: f32, what: &str) {
    assert_eq!(given.shape(), wanted.shape(), "{what}");
    for (place, (given, wanted)) in given.iter().zip(wanted).enumerate() {
        assert!((given - wanted).abs() <= tolerance, "{what}[{place}]: {given}, and {wanted} is wanted");
    }
}

fn assert_gives_what_onnx_runtime_gives(gpu: &Gpu) {
    let mut net = open(gpu, NAMES.len());
    let tensors = run(&mut net, &NAMES.map(photo));
    for (row, name) in NAMES.iter().enumerate() {
        for (output, tolerance) in [("prob", 1e-4), ("embedding", 1e-3)] {
            let wanted = expected(name, output).into_dyn();
            let given = tensors[output].index_axis(Axis(0), row);
            assert_near(&given, &wanted.view(), tolerance, &format!("{output} of {name}"));
        }
    }
}

fn assert_a_photo_gets_the_same_row_in_every_batch(gpu: &Gpu) {
    let mut net = open(gpu, 3);
    let [first, second] = [photo("coffee"), photo("rocket")];
    let alone = run(&mut net, std::slice::from_ref(&first));
    for (place, batch) in
        [(0, vec![&first, &second]), (1, vec![&second, &first]), (2, vec![&second, &second, &first])]
    {
        let photos: Vec<Photo> = batch.into_iter().cloned().collect();
        let together = run(&mut net, &photos);
        for (name, tensor) in alone.iter() {
            let row = together[name].index_axis(Axis(0), place);
            assert_near(&row, &tensor.index_axis(Axis(0), 0), 1e-6, name);
        }
    }
}

#[test]
fn the_twins_give_what_onnx_runtime_gives() {
    assert_gives_what_onnx_runtime_gives(&Gpu::cpu());
}

#[test]
fn a_device_gives_what_onnx_runtime_gives() {
    let Some(gpu) = device() else { return };
    assert_gives_what_onnx_runtime_gives(&gpu);
}

#[test]
fn batch_and_place_change_nothing_on_the_twins() {
    assert_a_photo_gets_the_same_row_in_every_batch(&Gpu::cpu());
}

#[test]
fn batch_and_place_change_nothing_on_a_device() {
    let Some(gpu) = device() else { return };
    assert_a_photo_gets_the_same_row_in_every_batch(&gpu);
}

#[test]
fn weights_stay_as_many_bytes_as_they_have_in_the_file() {
    let file = fs::read(path("models/efficientnet-lite0.onnx")).unwrap();
    let graph = ModelProto::decode(&file[..]).unwrap().graph.unwrap();
    let values: i64 = graph.initializer.iter().map(|tensor| tensor.dims.iter().product::<i64>()).sum();
    let plan = Program::onnx(&Gpu::cpu(), path("models/efficientnet-lite0.onnx")).unwrap().plan(1).unwrap();
    let (bytes, wide) = (plan.constant_bytes(), 4 * values as u64);
    // Biases are widened: one value in a hundred.
    assert!(wide / 2 <= bytes && bytes <= wide / 2 + wide / 100, "{bytes} bytes, {wide} as f32");
    let halves = plan.to_string().lines().filter(|line| line.contains("f16[")).count();
    assert_eq!(halves, 50, "49 convolutions and a product: {plan}");
}

#[test]
fn every_kernel_of_the_network_is_fused_where_it_can_be() {
    let net = Program::onnx(&Gpu::cpu(), path("models/efficientnet-lite0.onnx")).unwrap();
    let plan = net.plan(1).unwrap().to_string();
    let count = |kernel: &str| plan.lines().filter(|line| line.starts_with(&format!("{kernel}."))).count();
    // 49 convolutions with their clips and residual additions, the mean, the product and its softmax.
    assert_eq!([count("conv2d"), count("unary"), count("binary"), count("mat_mul")], [49, 0, 0, 1], "{plan}");
    assert!(plan.contains("\n52 kernels, "), "{plan}");
}

/// How far the probabilities of one photo are from those of ONNX Runtime, at most.
fn distance(net: Program) -> f32 {
    let mut net = net;
    GpuStage::<Photo>::open(&mut net, 1).unwrap();
    let tensors = run(&mut net, &[photo("coffee")]);
    let wanted = expected("coffee", "prob");
    let given = tensors["prob"].index_axis(Axis(0), 0);
    given.iter().zip(&wanted).map(|(given, wanted)| (given - wanted).abs()).fold(0.0, f32::max)
}

#[test]
fn halves_are_computed_with_only_where_the_program_allows_it() {
    let Some(gpu) = device() else { return };
    let net = || Program::onnx(&gpu, path("models/efficientnet-lite0.onnx")).unwrap();
    let count = |net: &Program, word: &str| {
        let plan = net.plan(1).unwrap();
        plan.kernels().filter(|kernel| kernel.variants.iter().any(|name| name.ends_with(word))).count()
    };
    for (precision, word, most) in [(Precision::Mixed, "mixed", 5e-3), (Precision::Half, "half", 1e-2)] {
        assert_eq!(count(&net(), word), 0);
        if gpu.limits().f16 {
            let net = net().precision(precision).force_variants(word);
            assert!(count(&net, word) > 30, "most of the 33 that are not depthwise");
            let distance = distance(net);
            assert!(distance < most, "{word}: {distance}");
        }
    }
}

#[test]
fn a_device_without_subgroups_gives_what_onnx_runtime_gives() {
    let Some(gpu) = device() else { return };
    let net = || Program::onnx(&gpu, path("models/efficientnet-lite0.onnx")).unwrap();
    for net in [net().forbid_variants("subgroups"), net().force_variants("mat_mul_few")] {
        let distance = distance(net);
        assert!(distance <= 1e-4, "{distance}");
    }
}
