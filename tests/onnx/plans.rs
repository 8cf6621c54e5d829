//! What networks that people run cost by their plans: the table of `docs/plans.md`.

use std::fs;
use std::path::Path;

use gapless::gpu::Plan;
use gapless::kernel::Precision;
use gapless::{DeviceKind, Gpu, Program};

use crate::common::device;

/// Most bytes of one tensor of these networks.
const WEIGHTS: u64 = 1 << 28;

/// A network of full size. Its weights are a file with nothing in it.
fn network(gpu: &Gpu, name: &str) -> Program {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if name == "efficientnet-lite0" {
        return Program::onnx(gpu, root.join("models/efficientnet-lite0.onnx")).unwrap();
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::File::create(folder.join("weights")).unwrap().set_len(WEIGHTS).unwrap();
    let file = folder.join("model.onnx");
    fs::copy(root.join(format!("tests/fixtures/networks/{name}.onnx")), &file).unwrap();
    Program::onnx(gpu, &file).unwrap()
}

/// Its plan for one item.
fn plan(name: &str) -> Plan {
    network(&Gpu::cpu(), name).plan(1).unwrap()
}

/// Bytes of an item that all kernels read and write.
fn moved(plan: &Plan) -> u64 {
    plan.kernels().map(|kernel| kernel.item_bytes).sum()
}

fn row(name: &str, plan: &Plan) -> String {
    let bytes = moved(plan);
    let (kernels, adds) = (plan.kernels().count(), plan.multiply_adds());
    let (mega, constants) = (|count: u64| count as f64 / 1e6, plan.constant_bytes());
    format!("| {name} | {kernels} | {:.1} | {:.1} | {:.0} |\n", mega(bytes), mega(constants), mega(adds))
}

const NAMES: [&str; 7] =
    ["efficientnet-lite0", "resnet50", "convnext_tiny", "vit_b_16", "clip_vit_b_32", "minilm_l6", "yolov8n"];

#[test]
fn networks_have_the_kernels_and_move_the_bytes_that_the_table_says() {
    let rows: String = NAMES.into_iter().map(|name| row(name, &plan(name))).collect();
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plans.md")).unwrap();
    assert!(page.contains(&rows), "docs/plans.md has not these rows:\n{rows}");
}

#[test]
fn with_halves_networks_move_about_half_of_the_bytes() {
    let Some(gpu) = device().filter(|gpu| gpu.limits().f16) else {
        return eprintln!("left out: there is no device with 16-bit floats");
    };
    let row = |name: &str| {
        let plan = network(&gpu, name).precision(Precision::Half).plan(1).unwrap();
        format!("| {name} | {:.1} |\n", moved(&plan) as f64 / 1e6)
    };
    let rows: String = NAMES.into_iter().map(row).collect();
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plans.md")).unwrap();
    assert!(page.contains(&rows), "docs/plans.md has not these rows:\n{rows}");
}

#[test]
fn networks_move_less_where_convolutions_compute_what_they_read() {
    let Some(gpu) = device().filter(|gpu| gpu.info().kind != DeviceKind::Twin) else {
        return eprintln!("left out: the twins join nothing");
    };
    let joined = |name: &str| network(&gpu, name).force_variants("joined").plan(1).unwrap();
    let rows: String =
        ["efficientnet-lite0", "yolov8n"].into_iter().map(|name| row(name, &joined(name))).collect();
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plans.md")).unwrap();
    assert!(page.contains(&rows), "docs/plans.md has not these rows:\n{rows}");
}

#[test]
fn attention_is_one_kernel_in_each_layer_of_the_networks_that_have_it() {
    for (name, layers) in [("vit_b_16", 12), ("clip_vit_b_32", 12), ("minilm_l6", 6)] {
        let plan = plan(name);
        let count = |kernel: &str| plan.kernels().filter(|planned| planned.variant == kernel).count();
        assert_eq!((count("attention"), count("softmax")), (layers, 0), "{plan}");
    }
}
