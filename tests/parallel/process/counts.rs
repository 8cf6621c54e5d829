//! Descriptors and children are as many after a run as before it, however it ended.
//!
//! Both belong to a process, and other tests run in this one: so this counts in a process of its own.

use std::fs::read_dir;
use std::process::{Command, Stdio};
use std::time::Duration;

use gapless::parallel::process::Isolated;
use gapless::{CpuStage as _, OnFailure, parallel};

use super::{acting, isolated, skip};
use crate::support::{until, watch};

const COUNT: &str = "GAPLESS_TEST_COUNT";

/// Descriptors of this process.
fn descriptors() -> usize {
    read_dir("/proc/self/fd").unwrap().count()
}

/// Processes that this one started and has not waited for.
fn children() -> usize {
    let own = std::process::id().to_string();
    let processes = read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("stat"));
    let stats = processes.filter_map(|stat| std::fs::read_to_string(stat).ok());
    // Its name may hold anything; behind it stand its state and its parent.
    let parents = stats.filter_map(|stat| stat.rsplit(')').next()?.split(' ').nth(2).map(str::to_owned));
    parents.filter(|parent| *parent == own).count()
}

/// Threads that are named after what they do for children.
fn threads() -> usize {
    read_dir("/proc/self/task").unwrap().count()
}

/// Every way to end, once.
fn each_ending() {
    let documents = ["a", "abort", "b", "exit", "error", "panic", "kill"];
    for workers in 0..4 {
        assert_eq!(skip(acting(), &documents, workers).count(), documents.len());
        for taken in 0..3 {
            drop(skip(acting(), &documents, workers.max(1)).take(taken).collect::<Vec<_>>());
        }
        let stopped = parallel(acting(), ["a", "abort", "a"].map(String::from)).workers(workers);
        stopped.on_failure(OnFailure::Stop).collect().unwrap_err();
    }
    let fails = |stage: Isolated<String, u32>, document: &str| {
        stage.prepare(&mut document.to_owned()).unwrap_err();
    };
    fails(acting().timeout(Duration::from_millis(20)), "hang");
    fails(isolated("other"), "a");
    fails(acting().program("/bin/true"), "a");
    fails(acting().program("/nowhere"), "a");
    fails(acting().program("/bin/echo"), "a");
    let stage = acting();
    for _ in 0..3 {
        super::kill(super::result(&stage, "a"));
    }
}

/// This test counts in a process of its own; called by itself it does nothing.
#[test]
fn the_counting() {
    if std::env::var_os(COUNT).is_none() {
        return;
    }
    // What is made once and kept is made here.
    each_ending();
    let base = (descriptors(), children(), threads());
    assert_eq!(base.1, 0, "no child is left");
    for _ in 0..3 {
        each_ending();
        until("all is as it was", || (descriptors(), children(), threads()) == base);
    }
}

#[test]
fn no_descriptor_no_child_and_no_thread_is_left_by_any_ending() {
    let _watch = watch();
    let mut counting = Command::new(std::env::current_exe().unwrap());
    counting.args(["process::counts::the_counting", "--exact", "--nocapture"]).env(COUNT, "1");
    assert!(counting.stdout(Stdio::null()).status().unwrap().success());
}
