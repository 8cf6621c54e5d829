//! The examples of documents as people run them: as programs, with what they print and how they end.
//!
//! Times are never looked at, only shapes. `cargo test` builds the examples; `cargo test --test doc_examples`
//! does not, and takes them as they were built last.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs an example with this as its input.
fn run(name: &str, arguments: &[&str], input: &str) -> Output {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    let program = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.is_file(), "{} is not built; `cargo build --examples` does it", program.display());
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the example starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn printed(output: &Output) -> &str {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::str::from_utf8(&output.stdout).expect("text")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("doc_examples").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn the_job_of_the_seeds_is_one_object_of_figures() {
    let output = run("images", &["--images", "6", "--workers", "2", "--json"], "");
    let figures: Value = serde_json::from_str(printed(&output)).expect("one object");
    assert_eq!(keys(&figures), ["apply_s", "images", "loop_s", "peak_rss_mib", "workers"]);
    assert_eq!((&figures["images"], &figures["workers"]), (&6.into(), &2.into()));
    assert!(figures["loop_s"].is_f64() && figures["apply_s"].is_f64());
}

#[test]
fn a_push_is_one_object_of_four_times() {
    let output = run("push", &["--docs", "3", "--json"], "");
    let figures: Value = serde_json::from_str(printed(&output)).expect("one object");
    assert_eq!(keys(&figures), ["overlapped_s", "send_s", "sequential_s", "serialise_s"]);
    assert!(figures.as_object().expect("an object").values().all(Value::is_f64));
}

#[test]
fn lines_that_are_written_are_the_lines_that_are_read() {
    let lines = [
        r#"{"id":"a","text":"one","tags":{"k":[1.0,null,{"x":true}]},"weight":0.5}"#,
        r#"{"id":"b","tensor":{"dtype":"f32","shape":[2,2],"data":[1.5,"NaN","Infinity",0.1]}}"#,
        r#"{"id":"c","blob":"AP8=","uri":"c.bin","chunks":[{"id":"d","location":[1.0,2.0]}]}"#,
        r#"{"id":"e","tensor":{"dtype":"u64","shape":[1],"data":[18446744073709551615]},"scores":{"s":{"value":0.25,"op_name":"","description":"","ref_id":"a"}}}"#,
    ];
    let folder = folder("wire");
    for ending in ["protobuf", "protobuf.gzip", "protobuf.lz4"] {
        let path = folder.join(format!("docs.{ending}"));
        let path = path.to_str().expect("text");
        printed(&run("wire", &["write", path], &lines.join("\n")));
        let output = run("wire", &["read", path], "");
        let read: Vec<Value> =
            printed(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for (read, line) in read.iter().zip(lines) {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            if line["id"] == "b" {
                line["tensor"]["data"][3] = f64::from(0.1_f32).into();
            }
            assert_eq!(*read, line);
        }
        assert_eq!(read.len(), lines.len());
    }
}

#[test]
fn what_cannot_be_done_is_said_with_status_one() {
    let refused = |name: &str, arguments: &[&str], input: &str, said: &str| {
        let output = run(name, arguments, input);
        let errors = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(said), "{errors}");
    };
    let folder = folder("refused");
    let path = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    refused("wire", &[], "", "usage");
    refused("wire", &["read", &path("none.protobuf")], "", "none.protobuf");
    refused("wire", &["write", &path("docs.pickle")], r#"{"id":"a"}"#, "pickle");
    refused("wire", &["write", &path("docs.protobuf")], "{}\n{\"nonsense\":1}", "line 2: nonsense");
    fs::write(path("broken.protobuf"), [1, 0, 0, 0, 0, 0, 0, 0, 9]).expect("a file");
    refused("wire", &["read", &path("broken.protobuf")], "", "document 0 of 9");
    refused("images", &["--images"], "", "images");
    refused("push", &["--nonsense"], "", "--nonsense");
}
