//! What `measure` finds out about a machine and a network.

use std::fs;

use serde_json::{Value, json};

use super::goals::goals;
use super::{device, folder, keys, refused, run, text};
use crate::make::Parts;

#[test]
fn a_machine_is_measured_into_a_table_and_a_file() {
    let file = folder("measure").join("machine.json");
    let output = run("measure", &["--device", "cpu", "--quick", "--json", file.to_str().expect("a path")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let value: Value = serde_json::from_slice(&fs::read(file).expect("a file")).expect("one object");
    assert_eq!(keys(&value), ["kernels", "machine", "overlap", "photos", "yardsticks"]);
    assert_eq!(value["machine"]["device"]["kind"], "twin");
    for section in keys(&value) {
        assert!(text.contains(&format!("== {section}\n")), "{section} is missing in {text}");
    }
    for kernel in value["kernels"]["kernels"].as_array().expect("kernels") {
        assert!(kernel["share_of_copy"].is_f64() && kernel["multiply_adds_per_second"].is_f64(), "{kernel}");
    }
    assert_eq!(value["yardsticks"]["multiply_adds"], Value::Null, "the twins are kernels and nothing else");
}

/// Whether this is a number that a measurement can give.
fn is_rate(value: &Value) -> bool {
    value.as_f64().is_some_and(|rate| rate > 0.0 && rate.is_finite())
}

#[test]
fn kernels_have_their_share_of_a_copy_and_of_multiply_adds_alone() {
    let Some(device) = device().filter(|device| device != "cpu") else { return };
    let file = folder("yardsticks").join("machine.json");
    text("measure", &["--device", &device, "--quick", "--kernels", "--json", file.to_str().expect("a path")]);
    let value: Value = serde_json::from_slice(&fs::read(file).expect("a file")).expect("one object");
    assert_eq!(keys(&value), ["kernels", "machine", "yardsticks"]);
    let yardsticks = &value["yardsticks"];
    let rates = ["copy", "upload", "readback", "multiply_adds"].map(|rate| &yardsticks[rate]);
    let [normalize, product] = ["normalize", "product"].map(|kernel| &yardsticks[kernel]);
    let shares = [&normalize["share_of_copy"], &product["share_of_multiply_adds"]];
    assert!(rates.into_iter().chain(shares).all(is_rate), "{yardsticks}");
    let (alone, reached) = (&yardsticks["multiply_adds"], &product["multiply_adds_per_second"]);
    let share = reached.as_f64().expect("a rate") / alone.as_f64().expect("a rate");
    assert_eq!(product["share_of_multiply_adds"].as_f64(), Some(share));
}

/// What `measure --network` prints of this model, and the object that it writes.
fn network(name: &str, device: &str, model: &Parts, options: &[&str]) -> (String, Value) {
    let folder = folder(name);
    let files = ["model.onnx", "network.json"].map(|name| folder.join(name));
    let [path, json] = files.each_ref().map(|file| file.to_str().expect("a path"));
    fs::write(path, model.bytes()).expect("a file");
    let all = [&["--device", device, "--network", path, "--quick", "--json", json], options].concat();
    let text = text("measure", &all);
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
    let (text, network) = network("measured", &device, &model, &[]);
    assert_eq!((batches(&network["batches"]), batches(&network["left_out"])), (vec![1, 16, 64, 256], vec![]));
    assert!(text.contains(" device ms "), "{text}");
    for row in network["batches"].as_array().expect("rows") {
        let seconds = row["device_seconds"].as_f64();
        assert_eq!(seconds.is_some_and(|seconds| seconds > 0.0), device != "cpu", "{row}");
        assert_eq!(is_rate(&row["device_items_per_second"]), device != "cpu", "{row}");
        assert!(is_rate(&row["items_per_second"]), "{row}");
    }
    assert_eq!(network["kernels_batch"], 16);
    // One plane of floats is a photo of one colour, and goes up as a pipeline sends it.
    assert_eq!(network["input"], json!([8, 8, 1]));
    assert_eq!((&network["goes_up_as"], &network["precision"]), (&"bytes".into(), &"full".into()));
}

#[test]
fn what_is_no_photo_goes_up_as_floats_at_the_batches_that_are_named() {
    let model = Parts::new(17).input("x", "n 8").node("Relu x -> y", Vec::new()).output("y");
    let (_, network) = network("floats", "cpu", &model, &["--batches", "3,1", "--precision", "half"]);
    assert_eq!((batches(&network["batches"]), &network["input"]), (vec![3, 1], &json!([8])));
    assert_eq!((&network["goes_up_as"], &network["precision"]), (&"floats".into(), &"half".into()));
    let refused = refused("measure", &["--batches", "1,0"]);
    assert!(refused.starts_with("measure: --batches 1,0: "), "{refused}");
}

#[test]
fn a_batch_that_does_not_fit_is_left_out_with_its_reason() {
    let Some(device) = device().filter(|device| device != "cpu") else { return };
    let limits = gapless::Gpu::named(&device).expect("a device").limits().clone();
    // Twice as many rows of 8 floats as a kernel can write.
    let rows = (limits.binding_bytes.min(limits.buffer_bytes) / 16) as i64;
    let model = Parts::new(17).input("x", "n 1 1 8").ints("repeats", &[1, 1, rows, 1]);
    let model = model.node("Tile x repeats -> y", Vec::new()).node("GlobalAveragePool y -> z", Vec::new());
    let (text, network) = network("too-large", &device, &model.output("z"), &[]);
    assert_eq!((batches(&network["batches"]), batches(&network["left_out"])), (vec![], vec![1, 16, 64, 256]));
    for row in network["left_out"].as_array().expect("rows") {
        let reason = row["reason"].as_str().expect("a reason");
        assert!(
            text.contains(&format!("{:>6} left out: {reason}\n", row["batch"].as_u64().unwrap_or(0))),
            "{text}"
        );
    }
}

fn row(batch: u64, host: f64, device: f64) -> Value {
    json!({ "batch": batch, "items_per_second": host, "device_items_per_second": device })
}

/// What `measure` and PyTorch reached on a GPU: 700 items a second of 1,000 from the host, and on the device 2,000 of
/// 1,000; 1.7 times as many in halves from the host and 1.6 times on the device.
fn planted() -> Value {
    let torch = |way: &str, rate: f64| {
        let mut row = row(64, rate, rate);
        row["way"] = json!(way);
        row
    };
    json!({
        "machine": {
            "machine": { "device": { "name": "A GPU", "kind": "discrete" }, "limits": { "f16": true } },
            "yardsticks": {
                "normalize": { "share_of_copy": 0.7 }, "product": { "share_of_multiply_adds": 0.59 },
            },
        },
        "networks": {
            "vit_b_16": {
                "full": { "batches": [row(1, 5.0, 5.0), row(64, 700.0, 2000.0)] },
                "half": { "batches": [row(64, 1190.0, 3200.0)] },
                "torch": {
                    "kind": "cuda", "torch": "2.11",
                    "rows": [torch("eager tf32", 9e9), torch("eager f32", 1000.0)],
                },
            },
            "resnet50": { "full": { "batches": [row(64, 700.0, 2000.0)] } },
        },
    })
}

/// Verdicts of all goals, in order: of the device, then four of each network.
fn verdicts(measured: &Value) -> Vec<&'static str> {
    goals(measured).iter().map(|goal| goal.verdict()).collect()
}

#[test]
fn goals_are_reached_missed_or_not_measured() {
    let (reached, missed, none) = ("reached", "missed", "not measured");
    let mut measured = planted();
    let device = [reached, missed];
    let vit = [reached, reached, reached, missed];
    assert_eq!(verdicts(&measured), [&device[..], &[none; 8], &vit].concat());
    let shares: Vec<_> = goals(&measured)[10..].iter().map(|goal| goal.share).collect();
    assert_eq!(shares, [0.7, 2.0, 1.7, 1.6].map(Some));
    // A processor is nothing that a GPU is compared with, and without halves there is nothing that they bring.
    measured["networks"]["vit_b_16"]["torch"]["kind"] = json!("cpu");
    measured["machine"]["machine"]["limits"]["f16"] = json!(false);
    assert_eq!(verdicts(&measured), [&device[..], &[none; 12]].concat());
    measured["machine"]["machine"]["device"]["kind"] = json!("software");
    assert_eq!(verdicts(&measured)[10..], [reached, reached, none, none]);
    assert_eq!(verdicts(&Value::Null), [none; 14]);
}

#[test]
fn a_folder_of_measurements_becomes_one_table_and_one_file() {
    let folder = folder("table");
    let planted = planted();
    let write = |name: &str, value: &Value| fs::write(folder.join(name), value.to_string()).expect("a file");
    write("machine.json", &planted["machine"]);
    write("about.json", &json!({ "date": "2026-11-30", "commit": "abc" }));
    let runs = &planted["networks"]["vit_b_16"];
    write("vit_b_16.full.json", &json!({ "network": runs["full"] }));
    write("vit_b_16.half.json", &json!({ "network": runs["half"] }));
    write("vit_b_16.torch.json", &runs["torch"]);
    fs::write(folder.join("resnet50.full.json"), "").expect("a file whose writer was ended");
    fs::write(
        folder.join("parts.tsv"),
        "machine\tdone in 9 s\nresnet50 full\tNOT FINISHED: ended after 60 s\n",
    )
    .expect("a file");
    let json = folder.join("measured.json");
    let paths = [&folder, &json].map(|path| path.to_str().expect("a path"));
    let table = text("measure", &["--table", paths[0], "--json", paths[1]]);
    let value: Value = serde_json::from_slice(&fs::read(&json).expect("a file")).expect("one object");
    assert_eq!(keys(&value), ["about", "goals", "machine", "networks", "parts"]);
    assert_eq!(value["networks"]["vit_b_16"], *runs);
    let wanted = [
        "# gapless unknown on A GPU (discrete)",
        "measured 2026-11-30, commit abc.",
        "| normalisation, of the copy | 0.70 | 0.70 | reached |",
        "| vit_b_16 at batch 64, from the host, of PyTorch eager f32 | 0.70 | 0.70 | reached |",
        "| vit_b_16 | gapless, f32 | 64 | 700.0 | 0.70 | 2000.0 | 2.00 | - |",
        "| vit_b_16 | gapless, halves | 64 | 1190.0 | - | 3200.0 | - | - |",
        "| vit_b_16 | PyTorch 2.11, eager f32 | 64 | 1000.0 | - | 1000.0 | - | - |",
        "| resnet50 full | NOT FINISHED: ended after 60 s |",
    ];
    for line in wanted {
        assert!(table.contains(line), "{line} is missing in {table}");
    }
}
