//! What `measure` finds out about a machine and a network.

use std::fs;

use serde_json::Value;

use super::{device, folder, keys, run, text};
use crate::make::Parts;

#[test]
fn a_machine_is_measured_into_a_table_and_a_file() {
    let file = folder("measure").join("machine.json");
    let output = run("measure", &["--device", "cpu", "--quick", "--json", file.to_str().expect("a path")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let value: Value = serde_json::from_slice(&fs::read(file).expect("a file")).expect("one object");
    assert_eq!(keys(&value), ["bandwidth", "kernels", "machine", "overlap", "photos"]);
    assert_eq!(value["machine"]["device"]["kind"], "twin");
    for section in keys(&value) {
        assert!(text.contains(&format!("== {section}\n")), "{section} is missing in {text}");
    }
    for kernel in value["kernels"]["kernels"].as_array().expect("kernels") {
        assert!(kernel["share_of_copy"].is_f64() && kernel["multiply_adds_per_second"].is_f64(), "{kernel}");
    }
}

/// What `measure --network` prints of this model, and the object that it writes.
fn network(name: &str, device: &str, model: &Parts) -> (String, Value) {
    let folder = folder(name);
    let files = ["model.onnx", "network.json"].map(|name| folder.join(name));
    let [path, json] = files.each_ref().map(|file| file.to_str().expect("a path"));
    fs::write(path, model.bytes()).expect("a file");
    let text = text("measure", &["--device", device, "--network", path, "--quick", "--json", json]);
    let value: Value = serde_json::from_slice(&fs::read(json).expect("a file")).expect("one object");
    (text, value["network"].clone())
}

fn batches(rows: &Value) -> Vec<u64> {
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row["batch"].as_u64().expect("a batch")).collect()
}

#[test]
fn a_network_is_measured_by_the_clock_of_the_device_too() {
    let Some(device) = device() else { return };
    let model = Parts::new(17).input("x", "n 1 8 8").node("Relu x -> y", Vec::new()).output("y");
    let (text, network) = network("measured", &device, &model);
    assert_eq!((batches(&network["batches"]), batches(&network["left_out"])), (vec![1, 16, 64, 256], vec![]));
    assert!(text.contains(" device ms "), "{text}");
    for row in network["batches"].as_array().expect("rows") {
        let seconds = row["device_seconds"].as_f64();
        assert_eq!(seconds.is_some_and(|seconds| seconds > 0.0), device != "cpu", "{row}");
    }
    assert_eq!(network["kernels_batch"], 16);
}

#[test]
fn a_batch_that_does_not_fit_is_left_out_with_its_reason() {
    let Some(device) = device().filter(|device| device != "cpu") else { return };
    let limits = gapless::Gpu::named(&device).expect("a device").limits().clone();
    // Twice as many rows of 8 floats as a kernel can write.
    let rows = (limits.binding_bytes.min(limits.buffer_bytes) / 16) as i64;
    let model = Parts::new(17).input("x", "n 1 1 8").ints("repeats", &[1, 1, rows, 1]);
    let model = model.node("Tile x repeats -> y", Vec::new()).node("GlobalAveragePool y -> z", Vec::new());
    let (text, network) = network("too-large", &device, &model.output("z"));
    assert_eq!((batches(&network["batches"]), batches(&network["left_out"])), (vec![], vec![1, 16, 64, 256]));
    for row in network["left_out"].as_array().expect("rows") {
        let reason = row["reason"].as_str().expect("a reason");
        assert!(
            text.contains(&format!("{:>6} left out: {reason}\n", row["batch"].as_u64().unwrap_or(0))),
            "{text}"
        );
    }
}
