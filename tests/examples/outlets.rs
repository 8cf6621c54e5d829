//! Every example, with its stdout closed, on a full disk, and asked for help.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Output, Stdio};

use super::{example, folder};

/// What an example is run with where that takes a moment only, and says something; `None` where its help has to do.
const SHORT: &[(&str, Option<&[&str]>)] = &[
    ("bottlenecks", None),
    ("classify", Some(&["--device", "cpu", "photos/coffee.jpg"])),
    ("images", Some(&["--images", "2"])),
    ("infer", Some(&["models/efficientnet-lite0.onnx", "--plan", "--device", "cpu"])),
    ("isolate", Some(&[])),
    ("measure", None),
    ("overlap", Some(&["--only", "schedule", "--scale", "10000"])),
    ("own_kernel", Some(&["cpu", "photos/coffee.jpg"])),
    ("own_stage", None),
    ("parallel", None),
    ("predict", Some(&["--documents", "10", "--cpu-seconds", "1", "--gpu-seconds", "1"])),
    ("push", Some(&["--docs", "2"])),
    ("resume", Some(&["FILE", "--documents", "10"])),
    ("vectorizer", Some(&["--json"])),
    ("wire", Some(&["read", "DOCS"])),
];

/// The examples of all packages, as their manifests list them.
fn examples() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut names = Vec::new();
    for package in ["", "infer", "push", "resume"] {
        let manifest = fs::read_to_string(root.join(package).join("Cargo.toml")).expect("a manifest");
        let sections = manifest.split("[[example]]").skip(1).map(str::to_owned);
        let name = |section: String| section.split('"').nth(1).expect("a name").to_owned();
        names.extend(sections.map(name));
    }
    names
}

/// The arguments of each run of an example: its help, and something short.
fn runs(name: &str, test: &str) -> Vec<Vec<String>> {
    let (_, short) = SHORT.iter().find(|(known, _)| *known == name).expect("it is in the table");
    let folder = folder(&format!("outlets-{test}-{name}"));
    let docs = folder.join("docs.protobuf");
    gapless::doc::DocArray::empty(3).save(&docs).expect("a file");
    let text = |argument: &&str| match *argument {
        "FILE" => folder.join("factors.txt").display().to_string(),
        "DOCS" => docs.display().to_string(),
        argument => argument.to_owned(),
    };
    let short = short.map(|arguments| arguments.iter().map(text).collect());
    [Some(vec!["--help".to_owned()]), short].into_iter().flatten().collect()
}

fn output(name: &str, arguments: &[String], stdout: Stdio) -> (Output, String) {
    let mut example = example(name);
    example.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let output = example.stdout(stdout).stderr(Stdio::piped()).spawn().expect("it starts");
    let output = output.wait_with_output().expect("it ends");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!errors.contains("panicked"), "{name} {arguments:?}: {errors}");
    (output, errors)
}

#[test]
fn the_table_has_every_example() {
    let mut listed = examples();
    listed.sort();
    assert_eq!(listed, SHORT.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn every_example_tells_its_help_and_refuses_what_it_does_not_know() {
    for name in examples() {
        for help in ["--help", "-h"] {
            let (said, errors) = output(&name, &[help.into()], Stdio::piped());
            let text = String::from_utf8(said.stdout).expect("text");
            assert!(said.status.success() && errors.is_empty(), "{name}: {errors}");
            assert!(text.starts_with(&name), "{name}: {text}");
        }
        let (said, errors) = output(&name, &["--no-such-option".into()], Stdio::piped());
        assert_eq!((said.status.code(), said.stdout.len()), (Some(1), 0), "{name}");
        assert!(
            errors.starts_with(&format!("{name}: ")) && errors.contains("--no-such-option"),
            "{name}: {errors}"
        );
    }
}

#[test]
fn every_example_ends_quietly_where_nobody_reads() {
    for name in examples() {
        for arguments in runs(&name, "closed") {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            drop(reader);
            let (said, errors) = output(&name, &arguments, writer.into());
            assert!(said.status.success(), "{name} {arguments:?}: {:?} {errors}", said.status);
            assert_eq!(errors, "", "{name} {arguments:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn every_example_says_that_a_disk_is_full() {
    for name in examples() {
        for arguments in runs(&name, "full") {
            let full = File::options().write(true).open("/dev/full").expect("a device that is full");
            let (said, errors) = output(&name, &arguments, full.into());
            assert_eq!(said.status.code(), Some(1), "{name} {arguments:?}: {errors}");
            let last = errors.lines().last().unwrap_or_default();
            assert!(last.starts_with(&format!("{name}: stdout: ")), "{name} {arguments:?}: {errors}");
            assert!(last.ends_with("(os error 28)"), "{name} {arguments:?}: {errors}");
        }
    }
}
