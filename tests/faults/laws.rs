//! What must hold at the end of every run.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use gapless::{AtMost, Batch, Error, OnFailure, Order, Position, Run};

use crate::plan::{NEVER, Plan, Rebuild, Wish};
use crate::stages::{Document, Row, prepared_value};

pub(crate) fn check_accounts(
    run: &Run<Document, Vec<Row>>,
    batches: &[Batch<Document, Vec<Row>>],
    taken: &AtomicU64,
) {
    let accounts = run.accounts();
    assert!(accounts.balance(), "{accounts:?}");
    assert_eq!(accounts.stuck, 0);
    assert_eq!(accounts.pulled, taken.load(Ordering::SeqCst));
    assert_eq!(accounts.delivered, batches.iter().map(|batch| batch.len() as u64).sum::<u64>());
    assert_eq!(accounts.failed, batches.iter().map(|batch| batch.failures().len() as u64).sum::<u64>());
}

pub(crate) fn check_each_once(
    batches: &[Batch<Document, Vec<Row>>],
    left: &[(Position, Document)],
    taken: &AtomicU64,
) {
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
pub(crate) fn check_results(plan: &Plan, batches: &[Batch<Document, Vec<Row>>]) {
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
pub(crate) fn check_end(plan: &Plan, error: Option<&Error>) {
    match error {
        None | Some(Error::Stopped { .. }) => {}
        Some(Error::Source { position, cause }) => {
            assert_eq!(Some(position.get()), plan.source_panics_at);
            assert!(cause.is_panic());
        }
        Some(Error::Batch { cause, .. }) => assert!(cause.to_string().contains("planted"), "{cause}"),
        Some(Error::DeviceLost { cause, .. }) => {
            assert!(plan.rebuild != Rebuild::Always, "a device that can be made again ends no run: {cause}");
            assert!(cause.to_string().contains("unplugged"), "{cause}");
        }
        Some(error) => panic!("not planted: {error}"),
    }
}

/// Where only preparation fails and the order is the source's, the end is known exactly.
pub(crate) fn check_end_of_stopped(
    plan: &Plan,
    error: Option<&Error>,
    batches: &[Batch<Document, Vec<Row>>],
) {
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

/// Where losses are recovered from and failures skipped, the documents that fail are exactly those with a
/// fault of their own.
pub(crate) fn check_end_of_skipped(
    plan: &Plan,
    error: Option<&Error>,
    batches: &[Batch<Document, Vec<Row>>],
    left: &[(Position, Document)],
) {
    let every_loss_is_recovered = plan.rebuild == Rebuild::Always || plan.rates.loses == NEVER;
    let skips = plan.policy == OnFailure::Skip && plan.wish == Wish::Finish;
    if !skips || !every_loss_is_recovered || !plan.only_documents_fail() {
        return;
    }
    assert!(error.is_none(), "nothing ends the run: {error:?}");
    let dropped: BTreeSet<u64> = left.iter().map(|(_, document)| document.id).collect();
    let fails = |id: &u64| plan.prepare_fault(*id).is_some() || plan.loses_device(*id);
    let expected = (0..plan.documents).filter(|id| fails(id) && !dropped.contains(id));
    let failed = batches.iter().flat_map(Batch::failures).map(|failure| failure.document.id);
    assert!(BTreeSet::from_iter(failed).into_iter().eq(expected), "who fails is exactly who was to fail");
}
