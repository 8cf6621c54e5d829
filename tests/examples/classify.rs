//! What `classify` says, and what it refuses.

use std::fs;

use serde_json::Value;

use super::{folder, refused, run};
use crate::make::Parts;

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

/// A file with this model, and what `classify` says of it.
fn refused_model(name: &str, model: &Parts, more: &[&str]) -> String {
    let path = folder(name).join("model.onnx");
    fs::write(&path, model.bytes()).expect("a file");
    let model = path.to_str().expect("a path");
    refused("classify", &[&["--device", "cpu", "--model", model, "photos/coffee.jpg"], more].concat())
}

#[test]
fn classify_names_the_numbers_that_normalise_nothing() {
    for (option, number) in [("--std", "0"), ("--mean", "nan")] {
        let errors = refused("classify", &["--device", "cpu", option, number, "photos/coffee.jpg"]);
        assert!(
            errors.contains("Program::normalize: mean is [") && errors.contains("no std of 0"),
            "{errors}"
        );
        assert!(!errors.contains("U8"), "{errors}");
    }
}

#[test]
fn classify_asks_for_the_size_that_a_model_leaves_open() {
    let open = Parts::new(17).input("x", "n 3 h w").node("GlobalAveragePool x -> y", Vec::new());
    let open = open.node("Flatten y -> z", Vec::new()).output("z");
    let errors = refused_model("open", &open, &[]);
    assert!(errors.contains("x [n, 3, h, w]") && errors.contains("--size"), "{errors}");
    let errors = refused_model("sized", &open, &["--size", "32"]);
    assert!(errors.contains("it has 1000 labels, and the model 3 classes"), "{errors}");
}

#[test]
fn classify_refuses_a_model_that_gives_no_classes() {
    let planes = Parts::new(17).input("x", "n 3 32 32").node("Relu x -> y", Vec::new()).output("y");
    let errors = refused_model("planes", &planes, &[]);
    assert!(errors.contains("the model is no classifier: it gives y [3, 32, 32]"), "{errors}");
}

#[test]
fn classify_wants_a_label_for_each_class() {
    let labels = folder("labels").join("labels.txt");
    fs::write(&labels, "cat\ndog\n").expect("a file");
    let errors = refused(
        "classify",
        &["--device", "cpu", "--labels", labels.to_str().expect("a path"), "photos/coffee.jpg"],
    );
    assert!(errors.contains("it has 2 labels, and the model 1000 classes"), "{errors}");
}
