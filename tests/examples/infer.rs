//! What `infer` gives and measures, and what it refuses.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{device, folder, refused, run, text};
use crate::make::{Parts, values};
use ndarray::{ArrayD, IxDyn};

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
    let all = ["seconds_per_batch", "gpu_seconds_per_batch", "host_seconds_per_batch"];
    for key in all.into_iter().chain(["multiply_adds", "bytes"]) {
        assert!(figures[key].as_f64().is_some_and(|value| value >= 0.0), "{key} in {figures}");
    }
    let unknown = run("infer", &[model, "--input", &input, "--output", "logits=x.npy", "--device", "cpu"]);
    let errors = String::from_utf8_lossy(&unknown.stderr);
    assert!(
        unknown.status.code() == Some(1) && errors.contains("the outputs are prob, embedding"),
        "{errors}"
    );
}

/// A folder with a convolution in `model.onnx`, and with arrays for it.
struct Made {
    folder: std::path::PathBuf,
    model: String,
}

impl Made {
    fn new(name: &str) -> Self {
        let parts = Parts::new(17).input("x", "n 4 8 8").constant("w", &values(&[4, 4, 1, 1], 1));
        Self::of(name, &parts.node("Conv x w -> y", Vec::new()).output("y"))
    }

    fn of(name: &str, parts: &Parts) -> Self {
        let folder = folder(name);
        let model = folder.join("model.onnx").display().to_string();
        fs::write(&model, parts.bytes()).expect("a file");
        Self { folder, model }
    }

    /// An array in a file of this name, as text of its path.
    fn array(&self, name: &str, array: &ArrayD<f32>) -> String {
        let path = self.folder.join(name);
        ndarray_npy::write_npy(&path, array).expect("it can be written");
        path.display().to_string()
    }

    fn items(&self, count: usize) -> String {
        self.array("in.npy", &values(&[count, 4, 8, 8], 2))
    }

    /// What `infer` says when it refuses these arguments.
    fn refused(&self, arguments: &[&str]) -> String {
        refused("infer", &[&[&self.model[..], "--device", "cpu"], arguments].concat())
    }
}

#[test]
fn a_rate_counts_the_items_that_ran() {
    let made = Made::new("rate");
    let input = made.items(5);
    let arguments = [&made.model[..], "--input", &input, "--device", "cpu", "--batch-size", "4", "--json"];
    let figures: Value = serde_json::from_str(&text("infer", &arguments)).expect("one object");
    let number = |key: &str| figures[key].as_f64().expect("a number");
    assert_eq!((number("batches"), number("items")), (2.0, 8.0), "every batch is full");
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} and {b}: {figures}");
    near(number("items_per_second"), number("items") / number("seconds"));
    near(number("overlapped_seconds_per_batch"), number("seconds") / number("batches"));
    near(number("bytes_per_second"), number("bytes") / number("gpu_seconds_per_batch"));
    let batch = 4.0 * number("multiply_adds");
    near(number("multiply_adds_per_second"), batch / number("gpu_seconds_per_batch"));
}

#[test]
fn a_kernel_says_what_it_does_in_a_second() {
    let Some(device) = device().filter(|device| device != "cpu") else { return };
    let made = Made::new("kernels");
    let input = made.items(5);
    let arguments = [&made.model[..], "--input", &input, "--device", &device, "--batch-size", "4", "--json"];
    let figures: Value = serde_json::from_str(&text("infer", &arguments)).expect("one object");
    let kernels = figures["kernels"].as_array().expect("kernels");
    let number = |value: &Value| value.as_f64().expect("a number");
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} and {b}: {figures}");
    let [kernel] = &kernels[..] else { panic!("one kernel: {figures}") };
    let seconds = number(&kernel["seconds"]);
    near(number(&kernel["multiply_adds_per_second"]) * seconds, 4.0 * number(&figures["multiply_adds"]));
    near(number(&kernel["bytes_per_second"]) * seconds, number(&figures["bytes"]));
}

#[test]
fn a_plan_names_the_variants_that_run_and_leaves_stdout_to_the_object() {
    let Some(device) = device() else { return };
    // Large enough that the plainest variant is hardly the fastest.
    let parts = Parts::new(17).input("x", "n 3 96 96").constant("w", &values(&[32, 3, 3, 3], 1));
    let parts = parts.node("Conv x w -> y", Vec::new()).node("GlobalAveragePool y -> z", Vec::new());
    let made = Made::of("plan", &parts.output("z"));
    let input = made.array("in.npy", &values(&[4, 3, 96, 96], 2));
    let arguments = ["--input", &input, "--device", &device, "--batch-size", "4", "--plan", "--json"];
    let output = run("infer", &[&[&made.model[..]], &arguments[..]].concat());
    let plan = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{plan}");
    let figures: Value = serde_json::from_slice(&output.stdout).expect("one object and nothing else");
    for kernel in figures["kernels"].as_array().expect("kernels") {
        let (name, variant) =
            (kernel["name"].as_str().expect("text"), kernel["variant"].as_str().expect("text"));
        let (tensor, shape) = name.split_once(' ').expect("a tensor and its shape");
        let line = plan.lines().find(|line| line.starts_with(tensor)).expect("a line a kernel");
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[..3], [tensor, shape, variant], "{plan}");
    }
    let alone = text("infer", &[&made.model, "--device", &device, "--batch-size", "4", "--plan"]);
    assert!(alone.starts_with("batches of up to 4; x f32[3,96,96]"), "{alone}");
    assert!(made.refused(&["--plan", "--json"]).contains("no --input was given"));
}

#[test]
fn an_input_that_cannot_be_is_refused_before_anything_runs() {
    let made = Made::new("inputs");
    let input = made.items(2);
    let empty = made.array("empty.npy", &ArrayD::zeros(IxDyn(&[0, 4, 8, 8])));
    let errors = made.refused(&["--input", &empty]);
    assert_eq!(errors, format!("infer: --input {empty}: it has no values, its shape is [0, 4, 8, 8]\n"));
    let errors = made.refused(&["--input", "nope=x.npy"]);
    assert_eq!(errors, "infer: --input nope=x.npy: NAME=FILE would fit, with one of x [n, 4, 8, 8]\n");
    let again = format!("x={input}");
    let errors = made.refused(&["--input", &input, "--input", &again]);
    assert_eq!(errors, format!("infer: --input {again}: x is given already\n"));
    let odd = made.array("a=b.npy", &values(&[2, 4, 8, 8], 2));
    assert!(
        text("infer", &[&made.model, "--device", "cpu", "--input", &odd])
            .starts_with("y [2, 4, 8, 8]: mean ")
    );
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_anything_runs() {
    let made = Made::new("outputs");
    let input = made.items(2);
    let errors = made.refused(&["--input", &input, "--output", "y=/no/such/folder/y.npy", "--repeat", "1"]);
    assert!(errors.starts_with("infer: --output y=/no/such/folder/y.npy: "), "{errors}");
    let kept = made.folder.join("kept.npy").display().to_string();
    made.refused(&[
        "--input",
        &input,
        "--output",
        &format!("y={kept}"),
        "--output",
        "y=/no/such/folder/y.npy",
    ]);
    assert!(!Path::new(&kept).exists(), "trying whether it can be written leaves nothing behind");
}

#[test]
fn values_that_are_all_nan_are_in_no_range() {
    let made = Made::new("nan");
    let mut array = values(&[1, 4, 8, 8], 2);
    array[[0, 0, 0, 0]] = f32::NAN;
    let some = made.array("some.npy", &array);
    let said = text("infer", &[&made.model, "--device", "cpu", "--input", &some]);
    assert!(said.trim_end().ends_with(", NaN in 4 of 256 values") && said.contains(", from -"), "{said}");
    let all = made.array("all.npy", &ArrayD::from_elem(IxDyn(&[1, 4, 8, 8]), f32::NAN));
    let said = text("infer", &[&made.model, "--device", "cpu", "--input", &all]);
    assert_eq!(said, "y [1, 4, 8, 8]: NaN in all values\n");
}
