//! Runs that are stopped and children that are killed, again and again: what comes out, and that the
//! stage is as good as new.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use gapless::parallel::Failed;
use gapless::parallel::process::{Isolated, Transfer};
use gapless::{CpuStage, OnFailure, parallel};

use super::{Died, Ending, acting, failure, file, isolated, kill, result, runs, told};
use crate::support::{until, watch};

/// Interrupts as often as it can until the call has returned; it was stopped.
fn interrupted<D: Transfer + Send + 'static>(
    stage: &Arc<Isolated<D, ()>>,
    mut document: D,
    at: impl FnOnce(),
) {
    let called = stage.clone();
    let call = thread::spawn(move || called.prepare(&mut document).unwrap_err());
    at();
    while !call.is_finished() {
        stage.interrupt();
        thread::yield_now();
    }
    let cause = call.join().unwrap();
    let died: &Died = cause.downcast_ref().unwrap_or_else(|| panic!("{cause}"));
    assert_eq!(died.ending, Ending::Stopped);
}

#[test]
fn a_stage_that_was_interrupted_often_serves_the_next_run() {
    let _watch = watch();
    let stage = Arc::new(isolated::<PathBuf, ()>("tell").restarts(1));
    for number in 0..20 {
        let file = file(&format!("interrupted-{number}"));
        let mut child = 0;
        interrupted(&stage, file.clone(), || child = told(&file));
        assert!(!Path::new(&format!("/proc/{child}")).exists(), "it was killed and waited for");
    }
    let file = file("afterwards");
    let call = thread::spawn({
        let (stage, mut file) = (stage.clone(), file.clone());
        move || stage.prepare(&mut file).unwrap_err()
    });
    kill(told(&file));
    let cause = call.join().unwrap();
    assert_eq!(
        cause.downcast_ref::<Died>().unwrap().ending,
        Ending::Signal(9),
        "interrupts were not counted"
    );
}

#[test]
fn a_call_that_is_interrupted_while_its_child_is_started_returns_and_costs_nothing() {
    let _watch = watch();
    let (waits, started) = (file("waits"), file("starts"));
    std::fs::write(&waits, "").unwrap();
    // A program that is not there while that file is, and then is a child.
    let script = format!(
        "[ -e '{0}' ] && echo $$ > '{1}.part' && mv '{1}.part' '{1}' && exec sleep 600; exec '{2}' \"$@\"",
        waits.display(),
        started.display(),
        std::env::current_exe().unwrap().display()
    );
    let arguments = ["-c", &script, "sh", "process::the_child", "--exact", "--nocapture"];
    let stage =
        Arc::new(Isolated::<PathBuf, ()>::new("tell").program("/bin/sh").arguments(arguments).restarts(1));
    for _ in 0..20 {
        let mut child = 0;
        interrupted(&stage, waits.clone(), || child = told(&started));
        assert!(!Path::new(&format!("/proc/{child}")).exists(), "it was killed and waited for");
    }
    std::fs::remove_file(&waits).unwrap();
    let file = file("started-at-last");
    interrupted(&stage, file.clone(), || assert!(runs(told(&file))));
}

#[test]
fn an_interrupt_before_a_call_is_none_of_its() {
    let _watch = watch();
    let stage = acting();
    for _ in 0..50 {
        stage.interrupt();
        result(&stage, "a");
    }
}

/// A document of many, by its number.
fn mixed(number: usize) -> &'static str {
    ["a", "abort", "b", "error", "c", "exit", "panic", "kill", "d"][number * 7919 % 97 % 9]
}

#[test]
fn many_workers_lose_many_children_and_no_document() {
    let _watch = watch();
    let documents = (0..200).map(|number| mixed(number).to_owned());
    let run = parallel(acting().restarts(u32::MAX), documents).workers(8).on_failure(OnFailure::Skip).run();
    let mut items = 0;
    for (number, item) in run.enumerate() {
        items += 1;
        let document = mixed(number);
        match item {
            Ok(outcome) => assert_eq!(outcome.document, format!("{document}!")),
            Err(Failed::Run(error)) => panic!("{error}"),
            item => {
                let failure = failure(item);
                let ending = failure.cause.downcast_ref::<Died>().map(|died| died.ending);
                let expected = match document {
                    "abort" => Some(Ending::Signal(6)),
                    "exit" => Some(Ending::Exit(3)),
                    "kill" => Some(Ending::Signal(9)),
                    "error" | "panic" => None,
                    other => panic!("{other} failed: {failure}"),
                };
                assert_eq!(ending, expected, "{document}");
            }
        }
    }
    assert_eq!(items, 200);
}

const GONE: &str = "GAPLESS_TEST_GONE";

/// This test is a parent that is to be killed while its child starts; called by itself it does nothing.
#[test]
fn the_gone() {
    if let Some(file) = std::env::var_os(GONE) {
        let arguments = ["process::endings::the_late", "--exact", "--nocapture"];
        let stage = Isolated::<PathBuf, ()>::new("tell").arguments(arguments);
        let _never = stage.prepare(&mut PathBuf::from(file));
    }
}

/// This test is a child that takes its time to register; called by itself it does nothing.
#[test]
fn the_late() {
    gapless::parallel::process::serve(|_| {
        super::tell_and_hang(&mut PathBuf::from(std::env::var_os(GONE).unwrap())).unwrap();
    });
}

#[test]
fn a_child_that_is_not_there_yet_ends_with_its_parent() {
    let _watch = watch();
    let file = file("gone");
    let mut parent = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["process::endings::the_gone", "--exact", "--nocapture"])
        .env(GONE, &file)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let child = told(&file);
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("the child is gone", || !runs(child));
}
