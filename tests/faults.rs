//! Thousands of runs with random settings and random faults, each with exact accounts: every document
//! that was pulled comes out, fails or is taken back exactly once, with the right value, in order;
//! nothing of a run is left in memory, and no thread of it is left alive.
//!
//! A failure prints its seed; `GAPLESS_SEED=… cargo test --release --test faults` runs that one alone.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use gapless::{
    AtMost, Batch, Cause, CpuStage, Error, GpuStage, LastBatch, OnFailure, Order, Pipeline, Position, Run,
    StageError,
};

const RUNS: u64 = 5_000;
/// One run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Random numbers from a seed (SplitMix64, Steele and others 2014).
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn size(&mut self, range: std::ops::Range<u64>) -> usize {
        usize::try_from(range.start + self.below(range.end - range.start)).unwrap()
    }

    /// True once in so many times.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn choose<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.size(0..among.len() as u64)]
    }
}

/// Values of one run that are alive.
#[derive(Clone, Default)]
struct Alive(Arc<AtomicI64>);

/// Counts as alive until it is dropped.
struct Life(Alive);

impl Alive {
    fn life(&self) -> Life {
        self.0.fetch_add(1, Ordering::SeqCst);
        Life(self.clone())
    }
}

impl std::ops::Deref for Alive {
    type Target = AtomicI64;

    fn deref(&self) -> &AtomicI64 {
        &self.0
    }
}

impl Clone for Life {
    fn clone(&self) -> Self {
        self.0.life()
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Document {
    id: u64,
    _life: Life,
}

#[derive(Clone)]
struct Prepared {
    value: u64,
    _life: Life,
}

struct Row {
    value: u64,
    _life: Life,
}

fn prepared_value(id: u64) -> u64 {
    id * 3
}

/// How a stage fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Err,
    Panic,
}

impl Fault {
    fn happen<T>(self) -> Result<T, Cause> {
        match self {
            Self::Err => Err(Cause::msg("planted")),
            Self::Panic => panic_quietly(),
        }
    }
}

/// A panic that prints nothing, since it is planted.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("planted"))
}

/// How often faults happen: once in so many calls; `u64::MAX` for never.
#[derive(Clone, Copy, Debug)]
struct Rates {
    prepare: u64,
    recycle: u64,
    then: u64,
    device: u64,
    lost: u64,
}

/// What the caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Finish,
    StopAfter(usize),
    DropAfter(usize),
}

/// One run: everything about it follows from the seed.
#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    documents: u64,
    source_panics_at: Option<u64>,
    batch_size: usize,
    ahead: usize,
    workers: usize,
    devices: usize,
    depth: usize,
    fits: usize,
    ramp: bool,
    order: Order,
    last: u64,
    policy: OnFailure,
    then: bool,
    sequential: bool,
    max_wait: bool,
    rates: Rates,
    wish: Wish,
}

const NEVER: u64 = u64::MAX;

impl Plan {
    fn new(seed: u64) -> Self {
        let random = &mut Random(seed);
        let documents = random.choose(&[0, 1, 7, 20, 64]) + random.below(20);
        let batch_size = random.size(1..9);
        Self {
            seed,
            documents,
            source_panics_at: random.once_in(6).then(|| random.below(documents + 1)),
            batch_size,
            ahead: random.size(1..4),
            workers: random.size(0..5),
            devices: random.size(1..3),
            depth: random.size(1..4),
            fits: if random.once_in(3) { random.size(1..9) } else { usize::MAX },
            ramp: random.once_in(3),
            order: if random.once_in(3) { Order::Completion } else { Order::Source },
            last: random.below(3),
            policy: random.choose(&[
                OnFailure::Stop,
                OnFailure::Skip,
                OnFailure::Skip,
                OnFailure::SkipAtMost(AtMost::Count(4)),
                OnFailure::SkipAtMost(AtMost::Share(0.2)),
            ]),
            then: random.once_in(3),
            sequential: random.once_in(8),
            max_wait: random.once_in(8),
            rates: Rates {
                prepare: random.choose(&[NEVER, 2, 10, 50]),
                recycle: random.choose(&[NEVER, 10]),
                then: random.choose(&[NEVER, 10, 50]),
                device: random.choose(&[NEVER, NEVER, 5, 20]),
                lost: random.choose(&[NEVER, NEVER, NEVER, 20]),
            },
            wish: match random.below(4) {
                0 => Wish::StopAfter(random.size(0..10)),
                1 => Wish::DropAfter(random.size(0..10)),
                _ => Wish::Finish,
            },
        }
    }

    /// Whether a fault that is rolled for each document hits this one, and how.
    fn fault(&self, salt: u64, id: u64, rate: u64) -> Option<Fault> {
        let random = &mut Random(self.seed ^ (salt << 40) ^ id);
        random.once_in(rate).then(|| random.choose(&[Fault::Err, Fault::Panic]))
    }

    fn prepare_fault(&self, id: u64) -> Option<Fault> {
        self.fault(1, id, self.rates.prepare)
    }

    fn then_fault(&self, id: u64) -> Option<Fault> {
        self.fault(2, id, self.rates.then)
    }

    /// Whether anything but documents that cannot be prepared may end or change the run.
    fn only_prepare_fails(&self) -> bool {
        let Rates { then, device, lost, .. } = self.rates;
        (!self.then || then == NEVER) && device == NEVER && lost == NEVER && self.source_panics_at.is_none()
    }
}

struct Cpu {
    plan: Arc<Plan>,
    alive: Alive,
}

impl CpuStage<Document> for Cpu {
    type Prepared = Prepared;

    fn prepare(&self, document: &mut Document) -> Result<Prepared, Cause> {
        if let Some(fault) = self.plan.prepare_fault(document.id) {
            return fault.happen();
        }
        Ok(Prepared { value: prepared_value(document.id), _life: self.alive.life() })
    }

    fn recycle(&self, used: Prepared) {
        if self.plan.fault(3, used.value, self.plan.rates.recycle).is_some() {
            panic_quietly();
        }
    }
}

struct Device {
    plan: Arc<Plan>,
    alive: Alive,
    random: Random,
    in_flight: usize,
}

struct Ticket {
    values: Vec<u64>,
    /// Looks that find nothing yet.
    looks: u64,
    _life: Life,
}

impl Device {
    fn fault(&mut self, items: usize, may_be_too_large: bool) -> Result<(), StageError> {
        if items > self.plan.fits && may_be_too_large {
            return Err(StageError::TooLarge(Cause::msg("planted: no room")));
        }
        if self.random.once_in(self.plan.rates.lost) {
            return Err(StageError::Lost(Cause::msg("planted: unplugged")));
        }
        if self.random.once_in(self.plan.rates.device) {
            let fault = self.random.choose(&[Fault::Err, Fault::Panic]);
            fault.happen::<()>()?;
        }
        Ok(())
    }
}

impl GpuStage<Prepared> for Device {
    type Output = Vec<Row>;
    type Ticket = Ticket;

    fn depth(&self) -> usize {
        self.plan.depth
    }

    fn submit(&mut self, batch: &[Prepared]) -> Result<Ticket, StageError> {
        assert!(!batch.is_empty() && batch.len() <= self.plan.batch_size, "1 item to a batch");
        assert!(self.in_flight < self.plan.depth, "at most `depth` batches");
        let too_large = self.random.once_in(2);
        self.fault(batch.len(), too_large)?;
        self.in_flight += 1;
        let values = batch.iter().map(|prepared| prepared.value).collect();
        Ok(Ticket { values, looks: self.random.below(4), _life: self.alive.life() })
    }

    fn try_collect(&mut self, ticket: &mut Ticket, _: Duration) -> Result<Option<Vec<Row>>, StageError> {
        if ticket.looks > 0 {
            ticket.looks -= 1;
            return Ok(None);
        }
        self.in_flight -= 1;
        self.fault(ticket.values.len(), true)?;
        let rows = ticket.values.iter().map(|value| Row { value: value + 1, _life: self.alive.life() });
        Ok(Some(rows.collect()))
    }
}

/// The source, and how much was taken from it.
fn source(
    plan: &Plan,
    alive: &Alive,
    taken: &Arc<AtomicU64>,
) -> impl Iterator<Item = Document> + Send + 'static {
    let (alive, taken, panics_at) = (alive.clone(), taken.clone(), plan.source_panics_at);
    (0..=plan.documents).map_while({
        let documents = plan.documents;
        move |id| {
            if panics_at == Some(id) {
                panic_quietly();
            }
            (id < documents).then(|| {
                taken.fetch_add(1, Ordering::SeqCst);
                Document { id, _life: alive.life() }
            })
        }
    })
}

fn start(plan: &Arc<Plan>, alive: &Alive, taken: &Arc<AtomicU64>) -> Run<Document, Vec<Row>> {
    let device = |rank: usize| Device {
        plan: plan.clone(),
        alive: alive.clone(),
        random: Random(plan.seed ^ (rank as u64) << 32),
        in_flight: 0,
    };
    let cpu = Cpu { plan: plan.clone(), alive: alive.clone() };
    let last = match plan.last {
        0 => LastBatch::Short,
        1 => LastBatch::Drop,
        _ => LastBatch::Pad(Clone::clone as fn(&Prepared) -> Prepared),
    };
    let mut pipeline = Pipeline::on_devices(cpu, (0..plan.devices).map(device).collect())
        .batch_size(plan.batch_size)
        .ahead(plan.ahead)
        .workers(plan.workers)
        .ramp(plan.ramp)
        .order(plan.order)
        .last_batch(last)
        .on_failure(plan.policy);
    if plan.max_wait {
        pipeline = pipeline.max_wait(Duration::from_micros(100));
    }
    let source = source(plan, alive, taken);
    let (then_plan, then_alive) = (plan.clone(), alive.clone());
    let then = move |document: &mut Document, row: &Row| match then_plan.then_fault(document.id) {
        Some(fault) => fault.happen(),
        None => Ok(Row { value: row.value + 1, _life: then_alive.life() }),
    };
    match (plan.then, plan.sequential) {
        (false, false) => pipeline.run(source),
        (false, true) => pipeline.run_sequential(source),
        (true, false) => pipeline.then(then).run(source),
        (true, true) => pipeline.then(then).run_sequential(source),
    }
}

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

fn check_accounts(run: &Run<Document, Vec<Row>>, batches: &[Batch<Document, Vec<Row>>], taken: &AtomicU64) {
    let accounts = run.accounts();
    assert!(accounts.balance(), "{accounts:?}");
    assert_eq!(accounts.stuck, 0);
    assert_eq!(accounts.pulled, taken.load(Ordering::SeqCst));
    assert_eq!(accounts.delivered, batches.iter().map(|batch| batch.len() as u64).sum::<u64>());
    assert_eq!(accounts.failed, batches.iter().map(|batch| batch.failures().len() as u64).sum::<u64>());
}

fn check_each_once(batches: &[Batch<Document, Vec<Row>>], left: &[(Position, Document)], taken: &AtomicU64) {
    let mut seen = BTreeSet::new();
    let mut see = |position: Position, document: &Document| {
        assert_eq!(position.get(), document.id, "a document keeps its place");
        assert!(seen.insert(document.id), "document {} came twice", document.id);
    };
    for batch in batches {
        batch
            .positions()
            .iter()
            .zip(batch.documents())
            .for_each(|(position, document)| see(*position, document));
        batch.failures().iter().for_each(|failure| see(failure.position, &failure.document));
    }
    left.iter().for_each(|(position, document)| see(*position, document));
    assert!(left.is_sorted_by_key(|(position, _)| *position), "what is taken back is in order");
    assert!(seen.into_iter().eq(0..taken.load(Ordering::SeqCst)), "none is missing");
}

/// The results are right, and in order where that was asked for.
fn check_results(plan: &Plan, batches: &[Batch<Document, Vec<Row>>]) {
    for batch in batches {
        assert_eq!(batch.is_empty(), batch.output().is_none());
        for (document, row) in batch.rows() {
            let value = prepared_value(document.id) + 1 + u64::from(plan.then);
            assert_eq!(row.value, value, "the result of document {}", document.id);
            assert!(plan.prepare_fault(document.id).is_none());
        }
        for failure in batch.failures() {
            assert!(failure.cause.to_string().contains("planted"), "{failure}");
        }
    }
    if plan.order == Order::Source {
        assert!(batches.is_sorted_by_key(Batch::index), "batches are in order");
        assert!(batches.iter().flat_map(Batch::positions).is_sorted(), "documents are in order");
    }
}

/// The run ended for a reason that was planted, and is none of ours.
fn check_end(plan: &Plan, error: Option<&Error>) {
    match error {
        None | Some(Error::Stopped { .. }) => {}
        Some(Error::Source { position, cause }) => {
            assert_eq!(Some(position.get()), plan.source_panics_at);
            assert!(cause.is_panic());
        }
        Some(Error::Batch { cause, .. }) => assert!(cause.to_string().contains("planted"), "{cause}"),
        Some(Error::DeviceLost { cause, .. }) => assert!(cause.to_string().contains("unplugged"), "{cause}"),
        Some(error) => panic!("not planted: {error}"),
    }
}

/// Where only preparation fails and the order is the source's, the end is known exactly.
fn check_end_of_stopped(plan: &Plan, error: Option<&Error>, batches: &[Batch<Document, Vec<Row>>]) {
    if !plan.only_prepare_fails() || plan.order != Order::Source || plan.wish != Wish::Finish {
        return;
    }
    let failing = || (0..plan.documents).filter(|id| plan.prepare_fault(*id).is_some());
    let ends_at = match plan.policy {
        OnFailure::Stop => failing().next(),
        OnFailure::SkipAtMost(AtMost::Count(most)) => failing().nth(usize::try_from(most).unwrap()),
        OnFailure::SkipAtMost(AtMost::Share(share)) => {
            failing().next_back().filter(|_| failing().count() as f64 > share * plan.documents as f64)
        }
        _ => None,
    };
    let stopped_at = error.map(|error| match error {
        Error::Stopped { position } => position.get(),
        error => panic!("nothing else was planted: {error}"),
    });
    assert_eq!(stopped_at, ends_at, "where the run ended");
    let at_the_end = !matches!(plan.policy, OnFailure::SkipAtMost(AtMost::Share(_)));
    let came = ends_at.filter(|_| at_the_end).map_or(plan.documents, |position| position + 1);
    let failed = batches.iter().flat_map(Batch::failures).map(|failure| failure.document.id);
    assert!(failed.eq(failing().take_while(|id| *id < came)), "every failure before the end came out");
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

#[test]
fn five_thousand_faulted_runs_lose_no_document_and_leave_no_thread() {
    let only = std::env::var("GAPLESS_SEED").ok().map(|seed| seed.parse().expect("a seed is a number"));
    let seeds: Vec<u64> = only.map_or_else(|| Vec::from_iter(0..RUNS), |seed| vec![seed]);
    let mut begins = watch();
    let base = threads();
    refused_settings_start_no_thread(base);
    let mut not_compared = 0;
    for seed in seeds {
        begins(seed);
        let _tell = Tell(seed);
        not_compared += usize::from(!run_one(Plan::new(seed)));
    }
    assert!(not_compared < 20, "{not_compared} runs left their feeder behind");
    wait_for_threads(base);
}
