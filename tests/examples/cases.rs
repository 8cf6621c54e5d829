//! Small models that were once wrong or refused, each for its kind, through `infer` on the twins.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use ndarray_npy::read_npy;

use super::{folder, run};

/// The arrays of a case whose files begin with this word, with the names of inputs or outputs that they are for.
fn arrays(case: &Path, word: &str) -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(case).expect("a case is a folder").map(|file| file.expect("a file").path());
    let named = files.filter_map(|path| {
        let name = path.file_stem()?.to_str()?.strip_prefix(word)?.trim_start_matches('-').to_owned();
        (path.extension()? == "npy").then_some((name, path))
    });
    let mut named: Vec<_> = named.collect();
    named.sort();
    named
}

/// The numbers of a file, and whether they are floats: all others are compared exactly.
fn read(path: &Path) -> (ArrayD<f64>, bool) {
    let floats = read_npy::<_, ArrayD<f32>>(path).map(|array| (array.mapv(f64::from), true));
    let whole = || read_npy::<_, ArrayD<i64>>(path).map(|array| (array.mapv(|value| value as f64), false));
    let narrow = || read_npy::<_, ArrayD<i32>>(path).map(|array| (array.mapv(f64::from), false));
    let bytes = || read_npy::<_, ArrayD<u8>>(path).map(|array| (array.mapv(f64::from), false));
    let flag = |flag: bool| f64::from(u8::from(flag));
    let flags = || read_npy::<_, ArrayD<bool>>(path).map(|array| (array.mapv(flag), false));
    let array = floats.or_else(|_| whole()).or_else(|_| narrow()).or_else(|_| bytes()).or_else(|_| flags());
    array.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is not as it should be.
fn fault(case: &Path, expected: &str, out: &Path) -> Option<String> {
    let (what, words) = expected.split_once(' ').unwrap_or((expected, ""));
    let model = case.join("model.onnx").display().to_string();
    let mut arguments = vec![model, "--device".into(), "cpu".into()];
    for (name, path) in arrays(case, "input") {
        let name = if name.is_empty() { String::new() } else { format!("{name}=") };
        arguments.extend(["--input".into(), format!("{name}{}", path.display())]);
    }
    let outputs = arrays(case, "output");
    for (name, _) in &outputs {
        arguments
            .extend(["--output".into(), format!("{name}={}", out.join(format!("{name}.npy")).display())]);
    }
    if what == "right" {
        arguments.extend(words.split_whitespace().map(Into::into));
    }
    let ran = run("infer", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
    if what == "refused" {
        return (ran.status.code() != Some(1) || !errors.contains(words))
            .then(|| format!("not refused so: {errors}"));
    }
    if !ran.status.success() {
        return Some(errors);
    }
    outputs.into_iter().find_map(|(name, path)| {
        let (given, _) = read(&out.join(format!("{name}.npy")));
        let (wanted, floats) = read(&path);
        let allowed = if floats { 1e-4 } else { 0.0 };
        let near =
            |(a, b): (&f64, &f64)| a.is_nan() && b.is_nan() || (a - b).abs() <= allowed * (1.0 + b.abs());
        let same = given.shape() == wanted.shape() && given.iter().zip(&wanted).all(near);
        (!same).then(|| format!("{name}: {given} and {wanted} is right"))
    })
}

#[test]
fn every_case_is_right_or_refused_in_words() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx/cases");
    let out = folder("cases");
    let expectations = fs::read_to_string(cases.join("expectations.txt")).expect("a file of the repository");
    let lines = expectations.lines().filter(|line| !line.starts_with('#'));
    let expected: Vec<(&str, &str)> =
        lines.map(|line| line.split_once(' ').expect("a case and a word")).collect();
    let faults: Vec<String> = expected
        .iter()
        .filter_map(|(case, expected)| Some(format!("{case}: {}", fault(&cases.join(case), expected, &out)?)))
        .collect();
    assert!(faults.is_empty(), "{} are wrong:\n{}", faults.len(), faults.join("\n"));
    let folders = fs::read_dir(&cases).expect("a folder").map(|entry| entry.expect("an entry").path());
    for folder in folders.filter(|path| path.is_dir()) {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(expected.iter().any(|(case, _)| *case == name), "{name} has no line in expectations.txt");
    }
}
