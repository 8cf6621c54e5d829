//! The real engine under random schedules: every interleaving may end only in ways that the contract allows.
//!
//! Shuttle runs the engine's threads one at a time and chooses at random which goes on; a timed wait
//! ends either way. What `planted` plants shows that these schedules would find such bugs.

use std::time::Duration;

use shuttle::rand::{Rng, thread_rng};

use super::fake::{Doc, FakeDevice, Fault, HOUR, Outcome, PerDoc, Setup, take};
use super::schedules::{check_adversarial, check_random, schedules};
use super::without_device::WithoutDevice;
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::{AsItIs, Job, Then};
use crate::engine::seam::{Planted, Seam};
use crate::engine::settings::{Asked, Common, OnFailure, Order, Patience, Settings, Watchdog, WorkerCount};
use crate::error::{Cause, Error};

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
fn runs_without_a_device_end_as_the_contract_says() {
    check_random(schedules() / 4, || run_without_device(None));
    check_adversarial(schedules() / 4, || run_without_device(None));
}

#[cfg(feature = "stream")]
#[test]
fn streams_end_as_the_contract_says() {
    check_random(schedules() / 4, || polled_run(None));
    check_adversarial(schedules() / 4, || polled_run(None));
    check_random(schedules() / 20, || polled_run_that_is_dropped(None));
    check_adversarial(schedules() / 20, || polled_run_that_is_dropped(None));
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
        let after = Then(then_function);
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

pub(super) fn setup(planted: Option<Planted>, devices: usize, sequential: bool) -> Setup {
    let seam = Seam::Shuttle(planted);
    let depth = thread_rng().gen_range(1..3);
    let device = || FakeDevice::new(&seam, depth, Duration::ZERO, Duration::ZERO);
    let devices = (0..devices).map(|_| device()).collect();
    Setup { devices, seam, cpu_cost: Duration::ZERO, begins_futures: thread_rng().gen_bool(0.3), sequential }
}

/// The same without a device, and without a choice: a planted bug is found by the schedules alone.
pub(super) fn no_device(planted: Option<Planted>) -> Setup {
    Setup {
        devices: Vec::new(),
        seam: Seam::Shuttle(planted),
        cpu_cost: Duration::ZERO,
        begins_futures: false,
        sequential: false,
    }
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

fn random_settings() -> Settings {
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
pub(super) fn check<J: Job<Document = Doc>>(
    run: Result<Caller<J>, Error>,
    documents: Vec<Doc>,
    most: usize,
    order: Order,
) {
    let mut run = run.expect("these settings can work");
    let by_another = stopped_by_another(&run);
    let outcome = take(&mut run, most);
    run.stop();
    let stopped = by_another.map(|other| other.join().unwrap()).is_some();
    let accounts = run.ledger().books.accounts();
    assert!(accounts.balance(), "{accounts:?}");
    assert_eq!(accounts.stuck, 0, "every fake stage returns");
    assert!(run.ledger().tokens.peak() <= run.ledger().tokens.total());
    let leftovers: Vec<u64> = run.take_left().iter().map(|left| left.document.id).collect();
    every_document_once(&outcome, &leftovers, accounts.pulled);
    if order == Order::Source {
        assert!(outcome.delivered().is_sorted(), "results come in the order of the source");
    }
    if most == usize::MAX && outcome.error.is_none() && !stopped {
        assert_eq!(
            accounts.delivered + accounts.failed,
            documents.len() as u64,
            "a finished run loses nothing: {accounts:?} {outcome:?} {leftovers:?} {documents:?}"
        );
    }
}

/// Sometimes another thread has the run stopped, by its handle, while the caller takes what comes.
fn stopped_by_another<J: Job>(run: &Caller<J>) -> Option<shuttle::thread::JoinHandle<()>> {
    let remote = run.remote().filter(|_| thread_rng().gen_bool(0.15))?;
    Some(shuttle::thread::spawn(move || {
        assert!(remote.accounts().pulled < 10);
        remote.stop();
    }))
}

pub(super) fn every_document_once(outcome: &Outcome, leftovers: &[u64], pulled: u64) {
    let mut seen = outcome.delivered();
    seen.extend(&outcome.failed);
    seen.extend(leftovers);
    seen.sort_unstable();
    assert_eq!(seen, Vec::from_iter(0..pulled), "every document that was pulled ends in one place");
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
    let order = settings.common.order;
    let run = no_device(planted).start::<WithoutDevice>(AsItIs(()), settings, documents.clone().into_iter());
    check(run, documents, most, order);
}

/// A run that is polled and given up after some results: nobody waits for what is on its way then.
#[cfg(feature = "stream")]
pub(super) fn polled_run_that_is_dropped(planted: Option<Planted>) {
    let mut rng = thread_rng();
    let documents = (0..rng.gen_range(1..7)).map(|id| Doc { id, fault: Fault::None });
    let setup = setup(planted, rng.gen_range(1..3), false);
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), random_settings(), documents);
    let mut run = run.expect("these settings can work");
    run.never_wait();
    let mut outcome = Outcome::default();
    for _ in 0..rng.gen_range(0..3) {
        if let Some(Ok(delivery)) = super::polled::next(&mut run) {
            outcome.take(delivery);
        }
    }
    run.stop();
    run.ledger().threads.join(HOUR, || Duration::from_millis(1));
    let accounts = run.ledger().books.accounts();
    let left: Vec<u64> = run.take_left().iter().map(|left| left.document.id).collect();
    every_document_once(&outcome, &left, accounts.pulled);
}

/// A run that is polled whenever it wakes its task, and at no other time.
#[cfg(feature = "stream")]
pub(super) fn polled_run(planted: Option<Planted>) {
    let mut rng = thread_rng();
    let documents: Vec<Doc> = (0..rng.gen_range(0..7)).map(|id| Doc { id, fault: random_fault() }).collect();
    let setup = losing(setup(planted, rng.gen_range(1..3), false), true, 1);
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), random_settings(), documents.into_iter());
    let mut run = run.expect("these settings can work");
    run.never_wait();
    let by_another = stopped_by_another(&run);
    let mut outcome = Outcome::default();
    while let Some(delivery) = super::polled::next(&mut run) {
        match delivery {
            Ok(delivery) => outcome.take(delivery),
            Err(error) => outcome.error = Some(error),
        }
    }
    // Whoever has stopped it may still be about to.
    let accounts = run.ledger().books.accounts();
    assert!(accounts.balance() && accounts.stuck == 0, "{accounts:?}");
    let left: Vec<u64> = run.take_left().iter().map(|left| left.document.id).collect();
    every_document_once(&outcome, &left, accounts.pulled);
    by_another.into_iter().for_each(|other| other.join().unwrap());
}
