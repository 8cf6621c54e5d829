//! The real engine under random schedules: every interleaving may end only in ways that the contract allows.
//!
//! Shuttle runs the engine's threads one at a time and chooses at random which goes on; a timed wait
//! ends either way. Planted bugs show that these schedules would find such bugs.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, MaxSteps, Runner};

use super::fake::{Doc, FakeDevice, Fault, HOUR, Outcome, PerDoc, Setup, take};
use super::without_device::WithoutDevice;
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::{AsItIs, Job, Then};
use crate::engine::seam::{Planted, Seam};
use crate::engine::settings::{Asked, Common, OnFailure, Order, Patience, Settings, Watchdog, WorkerCount};
use crate::error::{Cause, Error};

/// Schedules of each kind; a longer run sets `GAPLESS_SCHEDULES`.
fn schedules() -> usize {
    from_env("GAPLESS_SCHEDULES", 25_000) as usize
}

/// Where the schedules start; another `GAPLESS_SCHEDULE_SEED` gives others.
fn seed() -> u64 {
    from_env("GAPLESS_SCHEDULE_SEED", 0x5eed)
}

fn from_env(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn random_schedules_end_as_the_contract_says() {
    check_random(schedules(), || random_run(None));
}

#[test]
fn adversarial_schedules_end_as_the_contract_says() {
    check_adversarial(schedules(), || random_run(None));
}

#[test]
fn lost_devices_cost_exactly_the_documents_that_lose_them() {
    check_random(schedules() / 2, run_with_losses);
    check_adversarial(schedules() / 2, run_with_losses);
}

#[test]
fn random_schedules_find_a_token_that_leaks_with_a_failure() {
    found_by_both(|| run_with_failures(Some(Planted::TokenOfAFailureLeaks)));
    check_random(200, || run_with_failures(None));
}

#[test]
fn random_schedules_find_a_stop_that_does_not_wake_the_feeder() {
    found_by_both(|| stopped_run(Some(Planted::StopWakesNobody)));
    check_random(200, || stopped_run(None));
}

#[test]
fn runs_without_a_device_end_as_the_contract_says() {
    check_random(schedules() / 4, || run_without_device(None));
    check_adversarial(schedules() / 4, || run_without_device(None));
}

#[test]
fn random_schedules_find_documents_that_a_feeder_leaves_in_a_closed_queue() {
    found_by_either(|| stopped_while_fed(Some(Planted::FeederLeavesDocuments)));
    check_random(200, || stopped_while_fed(None));
}

#[test]
fn random_schedules_find_a_worker_that_looks_only_once() {
    found_by_either(|| few_documents(Some(Planted::WorkerLooksOnce)));
    check_random(200, || few_documents(None));
}

#[test]
fn random_schedules_find_what_a_given_up_device_owes_and_nobody_takes() {
    found_by_both(|| one_of_two_devices_is_given_up(Some(Planted::OwedIsCancelled)));
    check_random(schedules() / 20, || one_of_two_devices_is_given_up(None));
    check_adversarial(schedules() / 20, || one_of_two_devices_is_given_up(None));
}

#[test]
fn random_schedules_find_a_worker_that_forgets_a_device_that_idles() {
    found_by_either(|| run_on_workers(Some(Planted::WorkerForgetsDevices)));
    check_random(schedules() / 20, || run_on_workers(None));
    check_adversarial(schedules() / 20, || run_on_workers(None));
}

#[test]
fn random_schedules_find_a_future_whose_wake_is_lost_while_it_is_polled() {
    found_by_both(|| run_with_futures(Some(Planted::WakeIsLost)));
    check_random(schedules() / 20, || run_with_futures(None));
    check_adversarial(schedules() / 20, || run_with_futures(None));
}

#[cfg(feature = "stream")]
#[test]
fn streams_end_as_the_contract_says() {
    check_random(schedules() / 4, || polled_run(None));
    check_adversarial(schedules() / 4, || polled_run(None));
}

#[cfg(feature = "stream")]
#[test]
fn random_schedules_find_a_task_that_looks_only_once() {
    found_by_either(|| polled_run(Some(Planted::PollLooksOnce)));
}

fn check_random(schedules: usize, run: impl Fn() + Send + Sync + 'static) {
    Runner::new(RandomScheduler::new_from_seed(seed(), schedules), config()).run(run);
}

/// Few changes of priority at random places: finds bugs that need one thread to be very late.
fn check_adversarial(schedules: usize, run: impl Fn() + Send + Sync + 'static) {
    Runner::new(PctScheduler::new_from_seed(seed(), 3, schedules), config()).run(run);
}

fn config() -> Config {
    let mut config = Config::new();
    config.max_steps = MaxSteps::FailAfter(50_000);
    config.failure_persistence = shuttle::FailurePersistence::None;
    config
}

/// For bugs that need one thread to be very late in a few steps of another.
fn found_by_either(run: impl Fn() + Clone + Send + Sync + 'static) {
    let random = run.clone();
    let found = catch_unwind(AssertUnwindSafe(|| check_adversarial(5_000, run))).is_err()
        || catch_unwind(AssertUnwindSafe(|| check_random(5_000, random))).is_err();
    assert!(found, "thousands of schedules must find the planted bug");
}

fn found_by_both(run: impl Fn() + Clone + Send + Sync + 'static) {
    let random = run.clone();
    let by_random = catch_unwind(AssertUnwindSafe(|| check_random(1_000, random)));
    assert!(by_random.is_err(), "a thousand random schedules must find the planted bug");
    let by_adversary = catch_unwind(AssertUnwindSafe(|| check_adversarial(1_000, run)));
    assert!(by_adversary.is_err(), "a thousand adversarial schedules must find the planted bug");
}

/// A small run with everything random: settings, faults, and what the caller does.
fn random_run(planted: Option<Planted>) {
    let mut rng = thread_rng();
    let documents: Vec<Doc> = (0..rng.gen_range(0..9)).map(|id| Doc { id, fault: random_fault() }).collect();
    let settings = random_settings();
    let most = if rng.gen_bool(0.5) { usize::MAX } else { rng.gen_range(0..4) };
    let sequential = rng.gen_bool(0.15);
    let then = rng.gen_bool(0.3);
    let setup = setup(planted, if sequential { 1 } else { rng.gen_range(1..3) }, sequential);
    let setup = losing(setup, rng.gen_bool(0.7), rng.gen_range(0..4));
    let order = settings.common.order;
    if then {
        let after = Then { function: then_function, result: PhantomData };
        let run = setup.start::<PerDoc<_>>(after, settings, documents.clone().into_iter());
        check(run, documents, most, order);
    } else {
        let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, documents.clone().into_iter());
        check(run, documents, most, order);
    }
}

fn then_function(document: &mut Doc, row: &u64) -> Result<u64, Cause> {
    shuttle::thread::yield_now();
    assert_eq!(document.id, *row, "a document meets its own row");
    if document.id == 5 { Err(Cause::msg("planned")) } else { Ok(*row) }
}

fn setup(planted: Option<Planted>, devices: usize, sequential: bool) -> Setup {
    let seam = Seam::Shuttle(planted);
    let depth = thread_rng().gen_range(1..3);
    let device = || FakeDevice::new(&seam, depth, Duration::ZERO, Duration::ZERO);
    let devices = (0..devices).map(|_| device()).collect();
    Setup { devices, seam, cpu_cost: Duration::ZERO, begins_futures: thread_rng().gen_bool(0.3), sequential }
}

/// Devices that can be made again, or not, and that are lost for no reason up to so many times.
fn losing(mut setup: Setup, can_be_rebuilt: bool, bad_luck: u32) -> Setup {
    for device in &mut setup.devices {
        device.rebuilt_in = can_be_rebuilt.then_some(Duration::ZERO);
        device.bad_luck = bad_luck;
    }
    setup
}

/// A run in which two documents at most lose the device, and each device is lost once more at most.
fn run_with_losses() {
    let mut rng = thread_rng();
    let mut documents: Vec<Doc> = super::fake::docs(rng.gen_range(1..9)).collect();
    for _ in 0..rng.gen_range(0..3) {
        let id = rng.gen_range(0..documents.len());
        documents[id].fault = if rng.gen_bool(0.5) { Fault::LosesDevice } else { Fault::LosesDeviceLater };
    }
    let settings = random_settings().told(|common| common.on_failure = OnFailure::Skip);
    let setup = losing(setup(None, rng.gen_range(1..3), rng.gen_bool(0.2)), true, rng.gen_range(0..2));
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, documents.clone().into_iter());
    let mut run = run.expect("these settings can work");
    let mut outcome = take(&mut run, usize::MAX);
    assert!(outcome.error.is_none(), "every loss is recovered from: {:?}", outcome.error);
    outcome.failed.sort_unstable();
    let guilty = documents.iter().filter(|document| document.fault != Fault::None);
    assert_eq!(outcome.failed, guilty.map(|document| document.id).collect::<Vec<_>>());
    every_document_once(&outcome, &[], documents.len() as u64);
}

fn random_fault() -> Fault {
    match thread_rng().gen_range(0..40) {
        0..3 => Fault::CpuFails,
        3 => Fault::CpuPanics,
        4 => Fault::BatchFails,
        5 => Fault::BatchTooLarge,
        6 => Fault::LosesDevice,
        7 => Fault::LosesDeviceLater,
        _ => Fault::None,
    }
}

fn random_settings() -> Settings<Doc> {
    let mut rng = thread_rng();
    let settings = Settings {
        common: Common {
            workers: WorkerCount::Exactly(rng.gen_range(1..3)),
            ahead: rng.gen_bool(0.8).then_some(1),
            order: if rng.gen_bool(0.3) { Order::Completion } else { Order::Source },
            on_failure: if rng.gen_bool(0.5) { OnFailure::Stop } else { OnFailure::Skip },
            // Time stands still here, so it never sees a stall.
            watchdog: rng.gen_bool(0.2).then_some(Patience { patience: HOUR, then: Watchdog::End }),
            ..Common::default()
        },
        batch_size: rng.gen_range(1..4),
        ramp: rng.gen_bool(0.3),
        asked: random_questions(),
        max_wait: rng.gen_bool(0.2).then_some(Duration::from_millis(1)),
        ..Settings::default()
    };
    let own_threads = settings.max_wait.is_some() || settings.asked.anything();
    Settings { on_workers: !own_threads && rng.gen_bool(0.5), ..settings }
}

/// What is left to the engine. Time stands still here, so that every choice is as good as any other.
fn random_questions() -> Asked {
    let mut rng = thread_rng();
    let (batch_size, ahead) = (rng.gen_bool(0.3), rng.gen_bool(0.2));
    Asked { batch_size, ahead, ramp: rng.gen_bool(0.2), ramp_is_set: rng.gen_bool(0.5) }
}

/// Takes what the caller wants, ends the run, and looks at every account.
fn check<J: Job<Document = Doc>>(
    run: Result<Caller<J>, Error>,
    documents: Vec<Doc>,
    most: usize,
    order: Order,
) {
    let mut run = run.expect("these settings can work");
    let outcome = take(&mut run, most);
    run.stop();
    let accounts = run.ledger().books.accounts();
    assert!(accounts.balance(), "{accounts:?}");
    assert_eq!(accounts.stuck, 0, "every fake stage returns");
    assert!(run.ledger().tokens.peak() <= run.ledger().tokens.total());
    let leftovers: Vec<u64> = run.take_left().iter().map(|left| left.document.id).collect();
    every_document_once(&outcome, &leftovers, accounts.pulled);
    if order == Order::Source {
        assert!(outcome.delivered().is_sorted(), "results come in the order of the source");
    }
    if most == usize::MAX && outcome.error.is_none() {
        assert_eq!(
            accounts.delivered + accounts.failed,
            documents.len() as u64,
            "a finished run loses nothing: {accounts:?} {outcome:?} {leftovers:?} {documents:?}"
        );
    }
}

fn every_document_once(outcome: &Outcome, leftovers: &[u64], pulled: u64) {
    let mut seen = outcome.delivered();
    seen.extend(&outcome.failed);
    seen.extend(leftovers);
    seen.sort_unstable();
    assert_eq!(seen, Vec::from_iter(0..pulled), "every document that was pulled ends in one place");
}

/// More documents than tokens, every third of which fails.
fn run_with_failures(planted: Option<Planted>) {
    let documents =
        (0..30).map(|id| Doc { id, fault: if id % 3 == 0 { Fault::CpuFails } else { Fault::None } });
    let settings = Settings {
        common: Common {
            workers: WorkerCount::Exactly(1),
            ahead: Some(1),
            on_failure: OnFailure::Skip,
            ..Common::default()
        },
        batch_size: 2,
        ..Settings::default()
    };
    let run = setup(planted, 1, false).start::<PerDoc<AsItIs>>(AsItIs(()), settings, documents.clone());
    check(run, documents.collect(), usize::MAX, Order::Source);
}

/// The caller takes one batch of many and stops while the feeder waits for a token.
fn stopped_run(planted: Option<Planted>) {
    let settings = Settings {
        common: Common { workers: WorkerCount::Exactly(1), ahead: Some(1), ..Common::default() },
        batch_size: 1,
        ..Settings::default()
    };
    let documents = || super::fake::docs(1_000);
    let mut run = setup(planted, 1, false).start::<PerDoc<AsItIs>>(AsItIs(()), settings, documents());
    let first = run.as_mut().ok().and_then(Caller::next).expect("there is a first batch");
    let first = first.expect("nothing fails");
    for _ in 0..50 {
        shuttle::thread::yield_now();
    }
    let mut run = run.expect("these settings can work");
    run.stop();
    let accounts = run.ledger().books.accounts();
    assert!(accounts.balance() && accounts.delivered == first.documents.len() as u64, "{accounts:?}");
}

/// A small run without a device, taken to its end or stopped anywhere.
fn run_without_device(planted: Option<Planted>) {
    let mut rng = thread_rng();
    let fault = |fails| if fails { Fault::CpuFails } else { Fault::None };
    let documents: Vec<Doc> =
        (0..rng.gen_range(0..9)).map(|id| Doc { id, fault: fault(rng.gen_bool(0.1)) }).collect();
    let settings = Settings {
        common: Common {
            workers: WorkerCount::Exactly(rng.gen_range(1..3)),
            ahead: Some(rng.gen_range(0..4)),
            order: if rng.gen_bool(0.3) { Order::Completion } else { Order::Source },
            on_failure: if rng.gen_bool(0.5) { OnFailure::Stop } else { OnFailure::Skip },
            ..Common::default()
        },
        ..Settings::without_device()
    };
    let most = if rng.gen_bool(0.5) { usize::MAX } else { rng.gen_range(0..4) };
    let (order, seam) = (settings.common.order, Seam::Shuttle(planted));
    let setup = Setup {
        devices: Vec::new(),
        seam,
        cpu_cost: Duration::ZERO,
        begins_futures: false,
        sequential: false,
    };
    let run = setup.start::<WithoutDevice>(AsItIs(()), settings, documents.clone().into_iter());
    check(run, documents, most, order);
}

/// One worker that is sooner than the feeder.
fn few_documents(planted: Option<Planted>) {
    let settings = Settings {
        common: Common { workers: WorkerCount::Exactly(1), ahead: Some(4), ..Common::default() },
        chunk: Some(1),
        ..Settings::without_device()
    };
    let seam = Seam::Shuttle(planted);
    let setup = Setup {
        devices: Vec::new(),
        seam,
        cpu_cost: Duration::ZERO,
        begins_futures: false,
        sequential: false,
    };
    let run = setup.start::<WithoutDevice>(AsItIs(()), settings, super::fake::docs(4));
    check(run, super::fake::docs(4).collect(), usize::MAX, Order::Source);
}

/// The caller stops while the feeder puts a group of several documents into the queue.
fn stopped_while_fed(planted: Option<Planted>) {
    let settings = Settings {
        common: Common { workers: WorkerCount::Exactly(1), ahead: Some(12), ..Common::default() },
        chunk: Some(4),
        ..Settings::without_device()
    };
    let seam = Seam::Shuttle(planted);
    let setup = Setup {
        devices: Vec::new(),
        seam,
        cpu_cost: Duration::ZERO,
        begins_futures: false,
        sequential: false,
    };
    let run = setup.start::<WithoutDevice>(AsItIs(()), settings, super::fake::docs(1_000));
    check(run, Vec::new(), thread_rng().gen_range(0..3), Order::Source);
}

/// Two devices, of which one cannot be made again when it is lost.
fn one_of_two_devices_is_given_up(planted: Option<Planted>) {
    let mut setup = setup(planted, 2, false);
    setup.devices[0].bad_luck = 1;
    let documents: Vec<Doc> = super::fake::docs(6).collect();
    let settings = Settings {
        common: Common { workers: WorkerCount::Exactly(1), ..Common::default() },
        batch_size: thread_rng().gen_range(1..3),
        ..Settings::default()
    };
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, documents.clone().into_iter());
    let mut run = run.expect("these settings can work");
    let outcome = take(&mut run, usize::MAX);
    assert!(outcome.error.is_none(), "the other device goes on: {:?}", outcome.error);
    every_document_once(&outcome, &[], 6);
}

/// One worker, which runs the device too.
fn run_on_workers(planted: Option<Planted>) {
    let settings = Settings { batch_size: 2, on_workers: true, ..Settings::default() };
    let settings = settings.told(|common| common.workers = WorkerCount::Exactly(1));
    let documents: Vec<Doc> = super::fake::docs(5).collect();
    let setup = Setup { begins_futures: false, ..setup(planted, 1, false) };
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, documents.clone().into_iter());
    check(run, documents, usize::MAX, Order::Source);
}

/// Futures that others wake, in a run without a device.
fn run_with_futures(planted: Option<Planted>) {
    let settings = Settings::without_device().told(|common| {
        common.workers = WorkerCount::Exactly(1);
        common.ahead = Some(4);
    });
    let setup = Setup { devices: Vec::new(), begins_futures: true, ..setup(planted, 0, false) };
    let documents: Vec<Doc> = super::fake::docs(6).collect();
    let most = if thread_rng().gen_bool(0.7) { usize::MAX } else { thread_rng().gen_range(0..4) };
    let run = setup.start::<WithoutDevice>(AsItIs(()), settings, documents.clone().into_iter());
    check(run, documents, most, Order::Source);
}

/// A run that is polled whenever it wakes its task, and at no other time.
#[cfg(feature = "stream")]
fn polled_run(planted: Option<Planted>) {
    let mut rng = thread_rng();
    let documents: Vec<Doc> = (0..rng.gen_range(0..7)).map(|id| Doc { id, fault: random_fault() }).collect();
    let setup = losing(setup(planted, rng.gen_range(1..3), false), true, 1);
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), random_settings(), documents.into_iter());
    let mut run = run.expect("these settings can work");
    run.never_wait();
    let mut outcome = Outcome::default();
    while let Some(delivery) = super::polled::next(&mut run) {
        match delivery {
            Ok(delivery) => outcome.take(delivery),
            Err(error) => outcome.error = Some(error),
        }
    }
    let accounts = run.ledger().books.accounts();
    assert!(accounts.balance() && accounts.stuck == 0, "{accounts:?}");
    let left: Vec<u64> = run.take_left().iter().map(|left| left.document.id).collect();
    every_document_once(&outcome, &left, accounts.pulled);
}
