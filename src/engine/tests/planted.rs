//! Planted bugs under random schedules: thousands of them find each.

use shuttle::rand::{Rng, thread_rng};

use super::fake::{Doc, Fault, PerDoc, Setup, take};
use super::random_schedules::{check, every_document_once, no_device, setup};
#[cfg(feature = "stream")]
use super::random_schedules::{polled_run, polled_run_that_is_dropped};
use super::schedules::{check_adversarial, check_random, found_by_both, found_by_either, schedules};
use super::without_device::WithoutDevice;
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::AsItIs;
use crate::engine::seam::Planted;
use crate::engine::settings::{Common, OnFailure, Order, Settings, WorkerCount};

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
fn random_schedules_find_a_task_that_looks_only_once() {
    found_by_either(|| polled_run(Some(Planted::PollLooksOnce)));
}

#[cfg(feature = "stream")]
#[test]
fn random_schedules_find_a_result_that_comes_when_the_caller_has_gone() {
    found_by_either(|| polled_run_that_is_dropped(Some(Planted::LateResultIsKept)));
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

/// One worker that is sooner than the feeder.
fn few_documents(planted: Option<Planted>) {
    let settings = Settings {
        common: Common { workers: WorkerCount::Exactly(1), ahead: Some(4), ..Common::default() },
        chunk: Some(1),
        ..Settings::without_device()
    };
    let run = no_device(planted).start::<WithoutDevice>(AsItIs(()), settings, super::fake::docs(4));
    check(run, super::fake::docs(4).collect(), usize::MAX, Order::Source);
}

/// The caller stops while the feeder puts a group of several documents into the queue.
fn stopped_while_fed(planted: Option<Planted>) {
    let settings = Settings {
        common: Common { workers: WorkerCount::Exactly(1), ahead: Some(12), ..Common::default() },
        chunk: Some(4),
        ..Settings::without_device()
    };
    let run = no_device(planted).start::<WithoutDevice>(AsItIs(()), settings, super::fake::docs(1_000));
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
    // Of the fewer there are the sooner the source ends, which cuts the last batch.
    let documents: Vec<Doc> = super::fake::docs(thread_rng().gen_range(1..6)).collect();
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
    let setup = Setup { begins_futures: true, ..setup(planted, 0, false) };
    let documents: Vec<Doc> = super::fake::docs(6).collect();
    let most = if thread_rng().gen_bool(0.7) { usize::MAX } else { thread_rng().gen_range(0..4) };
    let run = setup.start::<WithoutDevice>(AsItIs(()), settings, documents.clone().into_iter());
    check(run, documents, most, Order::Source);
}
