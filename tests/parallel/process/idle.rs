//! Children that end while they have nothing to do: they cost no document.

use std::sync::Arc;
use std::thread;

use gapless::CpuStage as _;

use super::{acting, count, file, isolated, kill, result, runs, stop};
use crate::support::watch;

#[test]
fn a_child_that_ends_while_it_is_idle_costs_no_document() {
    let _watch = watch();
    let stage = acting().restarts(0);
    let mut before = result(&stage, "a");
    for _ in 0..20 {
        kill(before);
        let now = result(&stage, "a");
        assert_ne!(now, before, "another child");
        assert_eq!(now, result(&stage, "a"), "which is kept");
        before = now;
    }
}

#[test]
fn all_idle_children_may_end_at_once() {
    let _watch = watch();
    const WORKERS: usize = 6;
    let stage = Arc::new(isolated::<(std::path::PathBuf, usize), u32>("meet").restarts(0));
    let meeting = |number: usize| {
        let folder = file(&format!("meeting-{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        let calls = Vec::from_iter((0..WORKERS).map(|_| {
            let (stage, folder) = (stage.clone(), folder.clone());
            thread::spawn(move || stage.prepare(&mut (folder, WORKERS)).unwrap())
        }));
        let children = Vec::from_iter(calls.into_iter().map(|call| call.join().unwrap()));
        assert_eq!(count(&folder), WORKERS);
        std::fs::remove_dir_all(folder).unwrap();
        children
    };
    for number in 0..3 {
        meeting(number).into_iter().for_each(kill);
    }
    assert!(meeting(3).into_iter().all(runs));
}

#[test]
fn a_child_that_is_killed_before_it_reads_the_call_costs_no_document() {
    let _watch = watch();
    let stage = Arc::new(acting());
    for length in [1, 1 << 20] {
        let child = result(&stage, "a");
        // It cannot read anything, and whether the call is on its way when it is killed is all the same.
        stop(child);
        let calling = thread::spawn({
            let stage = stage.clone();
            move || result(&stage, &"a".repeat(length))
        });
        kill(child);
        assert_ne!(calling.join().unwrap(), child);
    }
}

#[test]
fn a_child_that_stands_still_is_given_up_by_its_time_alone() {
    let _watch = watch();
    let limit = std::time::Duration::from_millis(200);
    let stage = acting().timeout(limit);
    let child = result(&stage, "a");
    stop(child);
    let cause = stage.prepare(&mut "a".to_owned()).unwrap_err();
    let died: &super::Died = cause.downcast_ref().unwrap();
    assert_eq!(died.ending, super::Ending::TimedOut(limit));
    assert_ne!(result(&stage, "a"), child);
}
