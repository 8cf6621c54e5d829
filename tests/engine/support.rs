//! What the tests of the engine share: gates, counted sources, and the one function that ends a run
//! and checks its accounts.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use gapless::{Accounts, Batch, Cause, Error, Pipeline, Position, Report, Run};

/// A wait that takes longer than this is a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the process with the test's name where the test hangs: a deadlock is a failed test and not a
/// job that never returns.
#[must_use]
pub(crate) fn watch() -> Watch {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let (over, waits) = channel::<()>();
    std::thread::spawn(move || {
        if waits.recv_timeout(2 * PATIENCE) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{name} hangs: it has not ended after {} s", 2 * PATIENCE.as_secs());
            std::process::abort();
        }
    });
    Watch(over)
}

/// The watch over one test; it ends when this is dropped.
pub(crate) struct Watch(#[expect(dead_code, reason = "dropping it is what ends the watch")] Sender<()>);

/// A gate in user code: whoever passes waits until it is open.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    open: bool,
    waiting: usize,
}

impl Gate {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |state| !state.open).unwrap();
        state.waiting -= 1;
    }

    pub(crate) fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.changed.notify_all();
    }

    /// Returns when so many threads wait at the gate.
    pub(crate) fn wait_until_blocked(&self, threads: usize) {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, PATIENCE, |state| state.waiting < threads);
        let (state, timeout) = waited.unwrap();
        let waiting = state.waiting;
        drop(state);
        assert!(!timeout.timed_out(), "{waiting} of {threads} threads came to the gate");
    }
}

/// Returns when the condition holds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_micros(100));
    }
}

/// A source that counts what was taken from it.
pub(crate) fn counted(
    documents: impl IntoIterator<Item = u64, IntoIter: Send + 'static>,
) -> (Arc<AtomicUsize>, impl Iterator<Item = u64> + Send + 'static) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let counted = documents.into_iter().inspect(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    (taken, counted)
}

/// A panic that prints nothing, since it is planted.
pub(crate) fn planted_panic() -> ! {
    resume_unwind(Box::new("planted"))
}

/// The CPU half of most tests.
pub(crate) fn double(document: &mut u64) -> Result<u64, Cause> {
    Ok(*document * 2)
}

/// The GPU half of most tests.
#[expect(clippy::unnecessary_wraps, reason = "it is a stage")]
pub(crate) fn plus_one(batch: &[u64]) -> Result<Vec<u64>, Cause> {
    Ok(batch.iter().map(|prepared| prepared + 1).collect())
}

/// What [`double`] and [`plus_one`] make of a document.
pub(crate) fn expected(document: u64) -> u64 {
    document * 2 + 1
}

pub(crate) type Cpu = Box<dyn Fn(&mut u64) -> Result<u64, Cause> + Send + Sync>;
pub(crate) type Gpu = Box<dyn FnMut(&[u64]) -> Result<Vec<u64>, Cause> + Send>;
pub(crate) type EachRow = Box<dyn Fn(&mut u64, &u64) -> Result<u64, Cause> + Send + Sync>;

/// A pipeline of numbers. All have one type: the engine is compiled for it once, and not for every
/// closure of these tests.
pub(crate) fn pipeline_of(
    cpu: impl Fn(&mut u64) -> Result<u64, Cause> + Send + Sync + 'static,
    gpu: impl FnMut(&[u64]) -> Result<Vec<u64>, Cause> + Send + 'static,
) -> Pipeline<u64, Cpu, Gpu> {
    Pipeline::new(cpu_of(cpu), gpu_of(gpu))
}

pub(crate) fn cpu_of(cpu: impl Fn(&mut u64) -> Result<u64, Cause> + Send + Sync + 'static) -> Cpu {
    Box::new(cpu)
}

pub(crate) fn gpu_of(gpu: impl FnMut(&[u64]) -> Result<Vec<u64>, Cause> + Send + 'static) -> Gpu {
    Box::new(gpu)
}

/// A function for `then`, of one type as the pipelines are.
pub(crate) fn each_row(
    function: impl Fn(&mut u64, &u64) -> Result<u64, Cause> + Send + Sync + 'static,
) -> EachRow {
    Box::new(function)
}

/// All that came out of a run, and what was left in it.
pub(crate) struct Finished<D, O> {
    pub(crate) batches: Vec<Batch<D, O>>,
    pub(crate) error: Option<Error>,
    pub(crate) left: Vec<(Position, D)>,
    pub(crate) accounts: Accounts,
    pub(crate) report: Report,
}

/// Takes everything that still comes out of a run, and checks the laws that hold at every end.
pub(crate) fn finish<D, O>(run: Run<D, O>) -> Finished<D, O> {
    finish_after(Vec::new(), run)
}

/// As [`finish`], where some batches have been taken already.
pub(crate) fn finish_after<D, O>(mut batches: Vec<Batch<D, O>>, mut run: Run<D, O>) -> Finished<D, O> {
    let mut error = None;
    for batch in run.by_ref() {
        assert!(error.is_none(), "an error is the last item");
        match batch {
            Ok(batch) => batches.push(batch),
            Err(last) => error = Some(last),
        }
    }
    assert!(run.next().is_none(), "after its end a run stays ended");
    let (accounts, report) = (run.accounts(), run.report());
    let left = run.take_back();
    assert!(run.take_back().is_empty(), "documents are given back once");
    check(&batches, &left, accounts);
    Finished { batches, error, left, accounts, report }
}

/// The accounts balance, and say what came out and what was left.
pub(crate) fn check<D, O>(batches: &[Batch<D, O>], left: &[(Position, D)], accounts: Accounts) {
    assert!(accounts.balance(), "the accounts do not balance: {accounts:?}");
    assert_eq!(accounts.delivered, batches.iter().map(|batch| batch.len() as u64).sum::<u64>());
    assert_eq!(accounts.failed, batches.iter().map(|batch| batch.failures().len() as u64).sum::<u64>());
    assert_eq!(accounts.cancelled, left.len() as u64);
    assert!(left.is_sorted_by(|one, other| one.0 < other.0), "what is taken back is in order");
    for batch in batches {
        assert_eq!(batch.positions().len(), batch.len());
        assert_eq!(
            batch.is_empty(),
            batch.output().is_none(),
            "there is an output where there are documents"
        );
    }
}

impl<O> Finished<u64, O> {
    /// The documents with a result, as they came out.
    pub(crate) fn documents(&self) -> Vec<u64> {
        self.batches.iter().flat_map(Batch::documents).copied().collect()
    }

    /// The documents that failed, as they came out.
    pub(crate) fn failed(&self) -> Vec<u64> {
        self.batches.iter().flat_map(Batch::failures).map(|failure| failure.document).collect()
    }

    /// The documents that were taken back.
    pub(crate) fn taken_back(&self) -> Vec<u64> {
        self.left.iter().map(|(_, document)| *document).collect()
    }

    /// Documents with a result in each batch.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.batches.iter().map(Batch::len).collect()
    }

    /// Where documents are their own positions: each one that was pulled ended exactly once.
    pub(crate) fn check_each_once(&self) {
        let mut seen: Vec<u64> = self.documents();
        seen.extend(self.failed());
        seen.extend(self.taken_back());
        seen.sort_unstable();
        assert_eq!(seen, Vec::from_iter(0..self.accounts.pulled));
        for batch in &self.batches {
            assert!(
                batch.positions().iter().map(|position| position.get()).eq(batch.documents().iter().copied())
            );
            assert!(batch.failures().iter().all(|failure| failure.position.get() == failure.document));
        }
        assert!(self.left.iter().all(|(position, document)| position.get() == *document));
    }
}

impl Finished<u64, Vec<u64>> {
    /// Every result stands beside its own document.
    pub(crate) fn check_results(&self) {
        self.check_each_once();
        for batch in &self.batches {
            for (document, row) in batch.rows() {
                assert_eq!(*row, expected(*document));
            }
        }
    }
}
