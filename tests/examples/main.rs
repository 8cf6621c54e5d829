//! The examples as people run them: as programs, with what they print and how they end.
//!
//! On the twins, so no GPU is needed, but for those that show a device. Times are never looked at, only shapes. `cargo test` builds the
//! examples; `cargo test --test examples` does not, and takes them as they were built last.

mod cases;
mod classify;
#[path = "../../examples/common/difference.rs"]
mod difference;
#[path = "../../examples/measure/goals.rs"]
mod goals;
mod infer;
#[allow(dead_code, reason = "the models of the tests of ONNX, of which a few are enough here")]
#[path = "../onnx/make.rs"]
mod make;
mod measure;
#[cfg(unix)]
mod outlets;
mod own;
#[path = "../../examples/common/photos.rs"]
mod photos;
#[cfg(unix)]
mod resume;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program of an example, which cargo builds beside the tests.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    let program = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.is_file(), "{} is not built; `cargo build --examples` does it", program.display());
    Command::new(program)
}

fn run(name: &str, arguments: &[&str]) -> Output {
    example(name).args(arguments).stdin(Stdio::null()).output().expect("the example starts")
}

/// Runs `overlap`, which must end well, and gives the one object that its stdout must be.
fn object(arguments: &[&str]) -> (Value, String) {
    let output = run("overlap", arguments);
    let errors = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{:?}: {errors}", output.status);
    let value: Value = serde_json::from_slice(&output.stdout).expect("stdout is one object and nothing else");
    (value, errors)
}

/// What `overlap` says when it must end with status 1.
fn refusal(arguments: &[&str]) -> String {
    refused("overlap", arguments)
}

/// What an example says when it must end with status 1 and nothing on stdout.
fn refused(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    let errors = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{name} {arguments:?}: {errors}");
    assert!(output.stdout.is_empty(), "{name} {arguments:?} wrote to stdout");
    errors
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(|key| &key[..]).collect()
}

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Two files that are no photos, and a folder, which is no file.
fn spoil(folder: &Path) {
    let good = photos::make_photos(folder, 1, 9).expect("a photo").remove(0);
    let jpeg = fs::read(&good).expect("a photo");
    fs::remove_file(good).expect("a file");
    fs::write(folder.join("text.jpg"), "This is no photo.").expect("a file");
    fs::write(folder.join("truncated.jpg"), &jpeg[..jpeg.len() / 2]).expect("a file");
    fs::create_dir(folder.join("folder.jpg")).expect("a folder");
}

/// What is said of the two files.
fn spoiled(folder: &Path) -> [String; 2] {
    [
        ("text.jpg", "no photo: its first bytes are neither JPEG, PNG, WebP nor GIF"),
        ("truncated.jpg", "truncated: the JPEG ends before its end-of-image marker"),
    ]
    .map(|(name, cause)| format!("{}: {cause}", folder.join(name).display()))
}

#[test]
fn the_schedule_is_one_object_with_four_ways_in_order() {
    let (value, errors) = object(&["--only", "schedule", "--scale", "400", "--json"]);
    assert_eq!(errors, "", "no bar is drawn where stderr is no terminal");
    assert_eq!(keys(&value), ["schedule"]);
    let schedule = &value["schedule"];
    assert_eq!(keys(schedule), ["batch_size", "bound", "documents", "rows", "scale", "workers"]);
    for (key, number) in [("scale", 400), ("documents", 1024), ("batch_size", 16), ("workers", 4)] {
        assert_eq!(schedule[key], number, "{key}");
    }
    assert_eq!(schedule["bound"], 128.0625);
    let rows = schedule["rows"].as_array().expect("rows");
    let ideals: Vec<_> = rows.iter().map(|row| (row["way"].as_str(), row["ideal"].as_f64())).collect();
    let wanted = [("sequential", 144.0), ("per_batch", 129.0), ("per_document", 128.25), ("ramp", 128.0625)];
    assert_eq!(ideals, wanted.map(|(way, ideal)| (Some(way), Some(ideal))));
    for row in rows {
        assert_eq!(keys(row), ["ideal", "seconds", "way"]);
        assert!(row["seconds"].is_f64());
    }
}

#[test]
fn the_schedule_is_written_as_a_trace_and_drawn() {
    let folder = folder("recorded");
    let (trace, picture) = (folder.join("overlap.json"), folder.join("overlap.svg"));
    let files = [&trace, &picture].map(|file| file.to_str().expect("a path"));
    object(&["--only", "schedule", "--scale", "400", "--json", "--trace", files[0], "--svg", files[1]]);
    let trace: Value = serde_json::from_slice(&fs::read(trace).expect("a file")).expect("one object");
    let prepared =
        trace["traceEvents"].as_array().expect("events").iter().filter(|event| event["name"] == "prepare");
    let items: u64 = prepared.filter_map(|event| event["args"]["items"].as_u64()).sum();
    assert_eq!(items, 1024, "every document is there once");
    let picture = fs::read_to_string(picture).expect("a file");
    assert!(picture.starts_with("<svg") && picture.contains(">Overlapped: "), "{picture}");
    let refused = refusal(&["--only", "schedule", "--svg", "/no/such/folder/a.svg"]);
    assert!(refused.starts_with("overlap: --svg /no/such/folder/a.svg: "), "{refused}");
}

#[test]
fn photos_that_fail_are_named_and_the_others_are_done() {
    let folder = folder("mixed");
    photos::make_photos(&folder, 2, 7).expect("two photos");
    spoil(&folder);
    let images = folder.to_str().expect("a path");
    let (value, errors) = object(&["--only", "photos", "--images", images, "--device", "cpu", "--json"]);
    assert_eq!(keys(&value), ["photos"]);
    let photos = value["photos"].as_object().expect("an object");
    assert_eq!((&photos["device"], &photos["device_kind"]), (&"cpu".into(), &"twin".into()));
    assert_eq!(photos["images"], 4, "a folder among the photos is left out");
    let failed: Vec<&str> =
        photos["failed"].as_array().expect("a list").iter().flat_map(Value::as_str).collect();
    assert_eq!(failed, spoiled(&folder));
    for failure in failed {
        assert!(errors.contains(failure), "{failure} is not on stderr: {errors}");
    }
    let numbers =
        ["sequential_s", "overlapped_s", "bound_s", "cpu_busy", "gpu_busy", "first_result_s", "max_abs_diff"];
    assert!(numbers.iter().all(|key| photos[*key].is_f64()), "{photos:?}");
    assert_eq!(photos.len(), 4 + numbers.len());
    assert_eq!(photos["max_abs_diff"], 0.0, "the twins give the same bits in turns and overlapped");
}

#[test]
fn nothing_done_is_status_one_and_not_a_panic() {
    let folder = folder("spoiled");
    spoil(&folder);
    let images = folder.to_str().expect("a path");
    let errors = refusal(&["--only", "photos", "--images", images, "--device", "cpu", "--json"]);
    assert!(errors.contains("none of 2 photos could be done"), "{errors}");
    assert!(errors.contains("text.jpg: "), "{errors}");
}

#[test]
fn a_schedule_is_shown_though_no_photo_could_be_done() {
    let folder = folder("schedule");
    spoil(&folder);
    let images = folder.to_str().expect("a path");
    let (value, errors) = object(&["--scale", "10000", "--images", images, "--device", "cpu", "--json"]);
    assert_eq!(keys(&value), ["photos", "schedule"]);
    assert_eq!(value["schedule"]["rows"].as_array().map(Vec::len), Some(4));
    assert_eq!(value["photos"]["failed"], serde_json::json!(spoiled(&folder)));
    assert!(errors.contains("overlap: none of 2 photos could be done"), "{errors}");
}

#[test]
fn a_difference_hides_neither_a_missing_row_nor_a_value_that_is_no_number() {
    let rows = |rows: &[&[f32]]| (0..).zip(rows.iter().map(|row| row.to_vec())).collect();
    let difference =
        |some: &[&[f32]], other: &[&[f32]]| difference::largest_difference(&rows(some), &rows(other));
    assert_eq!(difference(&[&[1.0, 2.0], &[3.0]], &[&[1.0, 2.5], &[3.0]]), Ok(0.5));
    for (some, other) in [
        (&[&[f32::NAN][..]][..], &[&[1.0][..]][..]),
        (&[&[1.0]], &[&[f32::NAN]]),
        (&[&[f32::INFINITY]], &[&[f32::INFINITY]]),
        (&[&[1.0], &[2.0]], &[&[1.0]]),
        (&[&[1.0]], &[&[1.0], &[2.0]]),
        (&[&[1.0, 2.0]], &[&[1.0]]),
    ] {
        assert!(difference(some, other).is_err(), "{some:?} and {other:?}");
    }
}

#[test]
fn arguments_that_cannot_work_are_refused_with_their_name() {
    let empty = folder("empty");
    let empty = empty.to_str().expect("a path");
    for (arguments, named) in [
        (&["--only", "nothing"][..], "--only nothing"),
        (&["--scale", "0"], "--scale 0"),
        (&["--scale", "NaN"], "--scale NaN"),
        (&["--batch-size", "0"], "--batch-size 0"),
        (&["--workers", "many"], "--workers many"),
        (&["--device", "voodoo 2"], "voodoo 2"),
        (&["--device", "cpu", "--images", "/there/is/nothing"], "--images /there/is/nothing"),
        (&["--device", "cpu", "--images", empty], "there is no file"),
        (&["--speed"], "--speed"),
        (&["--images"], "--images"),
    ] {
        let errors = refusal(arguments);
        assert!(errors.contains(named), "{arguments:?}: {errors}");
        assert!(!errors.contains("panicked"), "{arguments:?}: {errors}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_ends_the_example_without_a_panic() {
    let mut child = example("overlap")
        .args(["--only", "schedule", "--scale", "10000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{:?}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// The device of the GPU tests; `None` where they are left out on purpose.
fn device() -> Option<String> {
    if std::env::var("GAPLESS_TESTS").is_ok_and(|tests| tests == "no-gpu") {
        eprintln!("left out: GAPLESS_TESTS=no-gpu");
        return None;
    }
    Some(std::env::var("GAPLESS_DEVICE").unwrap_or_else(|_| "software".into()))
}

fn text(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {:?}: {errors}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// The one object that an example prints with `--json`.
fn figures(name: &str) -> Value {
    let output = run(name, &["--json"]);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("stdout is one object and nothing else")
}

#[test]
fn parallel_and_vectorizer_print_their_figures() {
    let parallel = figures("parallel");
    let all = ["sleeps", "sleep_s", "parallel_s", "trivial", "trivial_s", "serial_s"];
    assert!(all.iter().all(|key| parallel[key].is_number()) && keys(&parallel).len() == all.len());
    assert_eq!((&parallel["sleeps"], &parallel["trivial"]), (&10.into(), &10_000.into()));
    let vectorizer = figures("vectorizer");
    let all = ["sequential_s", "parallel_s", "speedup"];
    assert!(all.iter().all(|key| vectorizer[key].is_f64()) && keys(&vectorizer).len() == all.len());
    assert!(!run("vectorizer", &["--other"]).status.success());
}

#[cfg(unix)]
#[test]
fn a_decoder_that_aborts_costs_one_document() {
    let output = run("isolate", &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0], "one: 6 bytes, \"A TEXT\"");
    assert!(lines[1].starts_with("two: document 1 failed") && lines[1].contains("signal 6"), "{text}");
    assert!(lines[1].ends_with("it said: decoder: assertion failed in two"), "{text}");
}

#[test]
fn predict_says_what_a_billion_documents_take_and_what_a_sample_costs() {
    let many =
        "--documents 1e9 --batch-size 32 --cpu-seconds 0.01 --gpu-seconds 0.02 --workers 4 --devices 10000";
    let predicted = |arguments: &str| -> Value {
        let arguments: Vec<&str> = arguments.split(' ').chain(["--json"]).collect();
        serde_json::from_str(&text("predict", &arguments)).expect("one object and nothing else")
    };
    let all = predicted(many);
    assert_eq!(
        (&all["bottleneck"], &all["tokens"], &all["batches"]),
        (&"cpu".into(), &128.into(), &31_250_000.into())
    );
    // A hundred thousand documents a pipeline, four at a time, and the last batch.
    assert_eq!((all["seconds"].as_f64(), all["first_result_s"].as_f64()), (Some(250.02), Some(0.1)));
    assert_eq!(all["bound"].as_f64(), Some(250.0 + 3125.0 * 0.02 / 100_000.0));
    let experiment = "--documents 1024 --cpu-seconds 0.0625 --gpu-item-seconds 0.125 --workers 4";
    for (more, seconds) in
        [(" --way sequential", 144.0), (" --way per_batch", 129.0), ("", 128.25), (" --ramp", 128.0625)]
    {
        assert_eq!(predicted(&format!("{experiment}{more}"))["seconds"], seconds, "{more}");
    }
    let sample = predicted("--documents 1000 --sample --device cpu --batch-size 8");
    assert!(sample["costs"]["cpu"].as_f64().is_some_and(|seconds| seconds > 0.0), "{sample}");
    assert_eq!(run("predict", &["--json"]).status.code(), Some(1), "there is no number of documents");
    assert_eq!(run("predict", &["--documents", "1.5"]).status.code(), Some(1));
}

#[test]
fn three_slow_runs_are_each_shown_again_as_their_report_advises() {
    let shown = text("bottlenecks", &[]);
    assert_eq!(shown.matches("bound ").count(), 6, "{shown}");
    assert_eq!(shown.matches(" = 400 delivered").count(), 6, "{shown}");
}
