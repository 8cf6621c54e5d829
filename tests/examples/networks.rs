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
