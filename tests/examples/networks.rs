//! The examples that run a network from a file.

use std::path::Path;

use serde_json::Value;

use super::{folder, run, text};

#[test]
fn classify_says_what_is_on_photos_and_does_the_others_where_one_is_none() {
    let output = run(
        "classify",
        &["--device", "cpu", "--json", "photos/coffee.jpg", "photos/README.md", "photos/camera.jpg"],
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.contains("photos/README.md: no photo"), "{errors}");
    let lines: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let first = |line: &Value| {
        (line["path"].clone(), line["top"][0]["label"].clone(), line["top"][0]["index"].clone())
    };
    let found: Vec<_> = lines.iter().map(first).collect();
    let wanted = [("photos/coffee.jpg", "espresso", 967), ("photos/camera.jpg", "tripod", 872)];
    assert_eq!(found, wanted.map(|(path, label, index)| (path.into(), label.into(), index.into())));
    assert_eq!(lines[0]["top"].as_array().map(Vec::len), Some(3));
    assert_eq!(run("classify", &["photos/README.md"]).status.code(), Some(1), "nothing was done");
}

/// The exact crops as the network's input, and what ONNX Runtime gives for them.
fn crops(folder: &Path) -> (String, ndarray::ArrayD<f32>) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/crops");
    let (mut inputs, mut wanted) = (Vec::new(), Vec::new());
    for name in ["chelsea", "coffee"] {
        let mut photo = fixtures.join(format!("{name}-224.png"));
        let pixels = gapless::CpuStage::prepare(&gapless::image::Loader::rgb8(224, 224), &mut photo);
        let pixels = pixels.expect("a crop").mapv(|value| (f32::from(value) - 127.0) / 128.0);
        inputs.push(pixels.permuted_axes([2, 0, 1]));
        wanted.push(
            ndarray_npy::read_npy::<_, ndarray::Array1<f32>>(fixtures.join(format!("{name}-prob.npy")))
                .expect("a row"),
        );
    }
    let stack = |axes: &[ndarray::Array3<f32>]| {
        ndarray::stack(ndarray::Axis(0), &axes.iter().map(|a| a.view()).collect::<Vec<_>>())
    };
    let path = folder.join("in.npy");
    ndarray_npy::write_npy(&path, &stack(&inputs).expect("equal shapes")).expect("it can be written");
    let rows: Vec<_> = wanted.iter().map(|row| row.view()).collect();
    (path.display().to_string(), ndarray::stack(ndarray::Axis(0), &rows).expect("equal shapes").into_dyn())
}

#[test]
fn infer_gives_what_onnx_runtime_gives() {
    let folder = folder("infer");
    let (input, wanted) = crops(&folder);
    let out = folder.join("out.npy");
    let output = format!("prob={}", out.display());
    let model = "models/efficientnet-lite0.onnx";
    let arguments =
        [model, "--input", &input, "--output", &output, "--device", "cpu", "--repeat", "1", "--json"];
    let figures: Value =
        serde_json::from_str(&text("infer", &arguments)).expect("one object and nothing else");
    let given: ndarray::ArrayD<f32> = ndarray_npy::read_npy(&out).expect("it was written");
    assert_eq!(given.shape(), [2, 1000]);
    given.iter().zip(&wanted).for_each(|(a, b)| assert!((a - b).abs() <= 1e-4, "{a}, and {b} is right"));
    assert_eq!(figures["device_kind"], "twin");
    let kernels = figures["kernels"].as_array().expect("a row a kernel");
    assert!(kernels.iter().all(|row| row["bytes_per_second"].as_f64() > Some(0.0)), "{figures}");
    for key in
        ["seconds_per_batch", "gpu_seconds_per_batch", "host_seconds_per_batch", "multiply_adds", "bytes"]
    {
        assert!(figures[key].as_f64().is_some_and(|value| value >= 0.0), "{key} in {figures}");
    }
    let unknown = run("infer", &[model, "--input", &input, "--output", "logits=x.npy", "--device", "cpu"]);
    let errors = String::from_utf8_lossy(&unknown.stderr);
    assert!(
        unknown.status.code() == Some(1) && errors.contains("the outputs are prob, embedding"),
        "{errors}"
    );
}

const MODEL: &str = "models/efficientnet-lite0.onnx";

/// What an example says when it must end with status 1.
fn refusal(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
    errors
}

#[test]
fn items_a_second_are_those_that_there_were() {
    let folder = folder("short");
    let path = folder.join("three.npy");
    ndarray_npy::write_npy(&path, &ndarray::Array4::<f32>::zeros((3, 3, 224, 224))).expect("it is written");
    let path = path.display().to_string();
    let arguments = [
        MODEL,
        "--input",
        &path,
        "--device",
        "cpu",
        "--batch-size",
        "2",
        "--repeat",
        "1",
        "--json",
        "--plan",
    ];
    let output = run("infer", &arguments);
    let figures: Value = serde_json::from_slice(&output.stdout).expect("one object, the plan on stderr");
    assert!(String::from_utf8_lossy(&output.stderr).contains("batches of up to 2"));
    assert_eq!((&figures["batches"], &figures["items"]), (&2.into(), &3.into()));
    let figure = |key: &str| figures[key].as_f64().expect("a number");
    let batches = 3.0 / figure("items_per_second") / figure("overlapped_seconds_per_batch");
    assert!((batches - 2.0).abs() < 1e-9, "three items in two batches: {figures}");
}

#[test]
fn infer_refuses_what_it_cannot_use_before_it_runs() {
    let folder = folder("refused");
    let at = |name: &str| folder.join(name).display().to_string();
    let (none, one) = (at("none.npy"), at("one.npy"));
    ndarray_npy::write_npy(&none, &ndarray::Array4::<f32>::zeros((0, 3, 224, 224))).expect("it is written");
    ndarray_npy::write_npy(&one, &ndarray::Array4::<f32>::zeros((1, 3, 224, 224))).expect("it is written");
    let refused = |more: &[&str]| refusal("infer", &[&[MODEL, "--device", "cpu"], more].concat());
    let says = |more: &[&str], reason: &str| {
        let errors = refused(more);
        assert!(errors.contains(reason), "{errors}");
    };
    says(&["--input", &none], "it is [0, 3, 224, 224], without a value");
    says(&["--input", &format!("nope={one}")], "NAME=FILE with one of input [n, 3, 224, 224]");
    says(&["--input", &one, "--input", &format!("input={one}")], "input was given before");
    says(&["--input", &one, "--output", "prob=nowhere/prob.npy"], "there is no folder nowhere");
}

#[test]
fn classify_says_what_of_its_options_does_not_fit() {
    let folder = folder("classify");
    let labels = folder.join("labels.txt");
    std::fs::write(&labels, "cat\ndog\n").expect("it is written");
    let labels = labels.display().to_string();
    let refused =
        |more: &[&str]| refusal("classify", &[&["--device", "cpu", "photos/coffee.jpg"], more].concat());
    let says = |more: &[&str], reason: &str| {
        let errors = refused(more);
        assert!(errors.contains(reason), "{errors}");
    };
    says(&["--labels", &labels], "2 labels, and the model has 1000 classes");
    says(&["--std", "0"], "Program::normalize");
    says(&["--mean", "nan"], "Program::normalize");
}

#[test]
fn own_stages_and_kernels_name_the_photo_that_is_missing() {
    let errors = refusal("own_kernel", &["cpu", "nowhere.jpg"]);
    assert!(errors.contains("nowhere.jpg: "), "{errors}");
    for name in ["own_kernel", "own_stage"] {
        assert!(text(name, &["--help"]).contains("[PHOTO]"), "{name}");
        assert!(refusal(name, &["--fast"]).contains("--fast is no option"), "{name}");
    }
}
