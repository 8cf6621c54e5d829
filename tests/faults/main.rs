//! Thousands of runs with random settings and random faults, each with exact accounts: every document
//! that was pulled comes out, fails or is taken back exactly once, with the right value, in order;
//! nothing of a run is left in memory, and no thread of it is left alive.
//!
//! A failure prints its seed; `GAPLESS_SEED=… cargo test --release --test faults` runs that one alone.

mod laws;
mod plan;
mod stages;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use gapless::Error;

use crate::laws::{
    check_accounts, check_each_once, check_end, check_end_of_skipped, check_end_of_stopped, check_results,
};
use crate::plan::{Plan, Wish};
use crate::stages::{Alive, start};

/// A longer test sets `GAPLESS_FAULTED_RUNS`.
const RUNS: u64 = 5_000;
/// One run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs one plan and checks everything that must hold; false where the accounts could not be compared,
/// since the feeder was left inside the source: the system may hold it there for longer than a run waits.
fn run_one(plan: Plan) -> bool {
    let plan = Arc::new(plan);
    let (alive, taken) = (Alive::default(), Arc::new(AtomicU64::new(0)));
    let mut run = start(&plan, &alive, &taken);
    let most = match plan.wish {
        Wish::Finish => usize::MAX,
        Wish::StopAfter(items) | Wish::DropAfter(items) => items,
    };
    let (mut batches, mut error) = (Vec::new(), None);
    for item in run.by_ref().take(most) {
        assert!(error.is_none(), "an error is the last item");
        match item {
            Ok(batch) => batches.push(batch),
            Err(last) => error = Some(last),
        }
    }
    if matches!(plan.wish, Wish::DropAfter(_)) {
        drop(run);
    } else {
        run.stop();
        assert!(run.next().is_none(), "it stays ended");
        if run.accounts().pulled < taken.load(Ordering::SeqCst) {
            assert!(run.accounts().balance());
            return false;
        }
        check_accounts(&run, &batches, &taken);
        check_end(&plan, error.as_ref());
        let left = run.take_back();
        assert_eq!(run.accounts().cancelled, left.len() as u64);
        assert!(run.report().left_behind.is_empty());
        check_each_once(&batches, &left, &taken);
        check_end_of_stopped(&plan, error.as_ref(), &batches);
        check_end_of_skipped(&plan, error.as_ref(), &batches, &left);
    }
    check_results(&plan, &batches);
    drop(batches);
    until("nothing of the run is in memory", || alive.load(Ordering::SeqCst) == 0);
    true
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE / 2;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_micros(100));
    }
}

/// Threads of this process, where the system tells.
fn threads() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("Threads:"))?.trim().parse().ok()
}

/// The system takes a moment to forget a thread that was joined.
fn wait_for_threads(base: Option<usize>) {
    let Some(base) = base else {
        println!("LEFT OUT: this system does not tell how many threads there are");
        return;
    };
    until("the threads are those of the start", || threads() == Some(base));
}

/// Ends the process where one run hangs; gives what tells it that another run begins.
fn watch() -> impl FnMut(u64) {
    let (begins, runs) = channel::<u64>();
    std::thread::spawn(move || {
        let mut last = 0;
        loop {
            match runs.recv_timeout(PATIENCE) {
                Ok(seed) => last = seed,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("the run with GAPLESS_SEED={last} hangs: {:#?}", Plan::new(last));
                    std::process::abort();
                }
            }
        }
    });
    move |seed| begins.send(seed).unwrap()
}

/// Says which run failed.
struct Tell(u64);

impl Drop for Tell {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with GAPLESS_SEED={}: {:#?}", self.0, Plan::new(self.0));
        }
    }
}

fn refused_settings_start_no_thread(base: Option<usize>) {
    let plan = Arc::new(Plan { batch_size: 0, then: false, ..Plan::new(1) });
    let taken = Arc::default();
    let mut run = start(&plan, &Alive::default(), &taken);
    assert_eq!(threads(), base, "nothing was started");
    assert!(matches!(run.next(), Some(Err(Error::Setting { name: "batch_size", .. }))));
    assert_eq!(taken.load(Ordering::SeqCst), 0);
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn five_thousand_faulted_runs_lose_no_document_and_leave_no_thread() {
    let seeds = match from_env("GAPLESS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_env("GAPLESS_FAULTED_RUNS").unwrap_or(RUNS),
    };
    let most_not_compared = 20.max(seeds.clone().count() / 250);
    let mut begins = watch();
    let base = threads();
    refused_settings_start_no_thread(base);
    let mut not_compared = 0;
    for seed in seeds {
        begins(seed);
        let _tell = Tell(seed);
        not_compared += usize::from(!run_one(Plan::new(seed)));
    }
    assert!(not_compared < most_not_compared, "{not_compared} runs left their feeder behind");
    wait_for_threads(base);
}
