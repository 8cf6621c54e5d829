//! The example that is stopped by Ctrl-C and goes on later.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{example, folder, run};

/// Runs it over more documents than it could ever do, and interrupts it when it says that some are done.
fn interrupted(file: &str) {
    let endless = u64::MAX.to_string();
    let mut child = example("resume")
        .args([file, "--documents", &endless])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut said = BufReader::new(child.stdout.take().expect("its stdout"));
    let mut line = || {
        let mut line = String::new();
        said.read_line(&mut line).expect("text");
        line
    };
    assert_eq!(line(), format!("0 of {endless} documents are done\n"));
    assert!(line().ends_with("documents are done\n"));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    // It may have more to say, and must not wait for a reader.
    said.read_to_end(&mut Vec::new()).expect("bytes");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

/// The numbers in front of each line.
fn numbers(file: &Path) -> Vec<u64> {
    let text = fs::read_to_string(file).expect("a file");
    text.lines().map(|line| line.split(' ').next().expect("a word").parse().expect("a number")).collect()
}

#[test]
fn what_was_interrupted_goes_on_there_and_every_document_is_done_once() {
    let file = folder("resume").join("factors.txt");
    let path = file.to_str().expect("a path");
    interrupted(path);
    let before = fs::read_to_string(&file).expect("a file");
    let done = before.lines().count();
    assert!(done >= 4096 && before.ends_with('\n'), "{done} lines");

    // As a program that was killed in the middle of a line leaves it.
    OpenOptions::new().append(true).open(&file).expect("a file").write_all(b"1000").expect("a piece");
    let all = done + 100;
    let again = run("resume", &[path, "--documents", &all.to_string()]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let said = String::from_utf8(again.stdout).expect("text");
    assert!(said.starts_with(&format!("{done} of {all} documents are done\n")), "{said}");
    assert!(
        fs::read_to_string(&file).expect("a file").starts_with(&before),
        "what was done is left as it is"
    );
    let first = 1_000_000_000_000;
    assert!(numbers(&file).into_iter().eq(first..first + all as u64), "each once, in order");
}
