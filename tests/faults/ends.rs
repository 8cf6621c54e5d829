//! What must hold at the end of a run beside the laws of all runs: it ended for a reason that was planted,
//! and where nothing but preparation fails that reason is known exactly.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gapless::{AtMost, Error, OnFailure, Order};

use crate::kit::face::{Got, Kind, Setup};
use crate::kit::laws::{Law, ensure};
use crate::plan::{Plan, Tamper, Wish};

/// What a cause says, where it can be shown.
fn shown(cause: &gapless::Cause) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| cause.to_string())).ok()
}

/// Whether the words of the cause are ours, or those for a batch with another number of rows.
fn is_planted(cause: &gapless::Cause) -> bool {
    shown(cause).is_none_or(|text| text.contains("planted") || text.contains("rows for"))
}

pub(crate) fn causes_were_planted(got: &Got) -> Law {
    for failed in &got.failed {
        let planted = is_planted(&failed.cause);
        ensure!(planted, "a failure in the {} was not planted: {:?}", failed.stage, shown(&failed.cause));
    }
    Ok(())
}

/// The run ended for a reason that was planted, and is none of ours.
pub(crate) fn end_was_planted(plan: &Plan, setup: &Setup, error: Option<&Error>, dead: usize) -> Law {
    match error {
        None => Ok(()),
        Some(Error::Stopped { .. }) => {
            ensure!(setup.policy() != OnFailure::Skip, "a run that skips was stopped ({:?})", plan.kind);
            Ok(())
        }
        Some(Error::Source { position, cause, .. }) => {
            let said_so = shown(cause).unwrap_or_default();
            ensure!(cause.is_panic(), "the source did not panic: {:?}", shown(cause));
            let planned = plan.source.panics_at.map(|place| place.div_ceil(setup.item()));
            // Where a face counts batches it may say so, or the place of their first document.
            let said = [position.get(), position.get().div_ceil(setup.item())];
            let hint = plan.source.hint == crate::plan::Hint::Panics && position.get() == 0;
            let gathered = plan.kind.in_bags();
            let known = planned.is_some_and(|planned| said.contains(&planned)) || hint || gathered;
            ensure!(known, "the source ended the run where nothing was planted: {said_so} ({:?})", plan.kind);
            Ok(())
        }
        Some(Error::Batch { cause, .. }) => {
            ensure!(is_planted(cause), "a batch failed for no reason: {:?}", shown(cause));
            Ok(())
        }
        Some(Error::DeviceLost { .. }) => {
            let all = dead >= plan.used_devices();
            ensure!(all, "a device that was given up ended the run, and others work ({:?})", plan.kind);
            Ok(())
        }
        Some(Error::Deadline { .. }) if plan.deadline => Ok(()),
        Some(Error::Documents { .. }) => Err("an apply was ended by nobody".into()),
        Some(error) => {
            Err(format!("not planted: {:?}", catch_unwind(AssertUnwindSafe(|| error.to_string())).ok()))
        }
    }
}

/// Where only preparation fails and the order is the source's, the end is known.
pub(crate) fn end_is_exact(plan: &Plan, setup: &Setup, got: &Got) -> Law {
    let in_order = setup.order == Order::Source;
    if !plan.only_prepare_fails() || !in_order || plan.wish != Wish::Finish {
        return Ok(());
    }
    let items: Vec<u64> = (0..plan.documents).step_by(setup.item() as usize).collect();
    let failing: Vec<u64> = items.into_iter().filter(|first| plan.prepare_fault(*first).is_some()).collect();
    let ends_at = match setup.policy() {
        OnFailure::Stop => failing.first().copied(),
        OnFailure::Skip => None,
        OnFailure::SkipAtMost(AtMost::Count(most)) if setup.item() == 1 => {
            failing.get(most as usize).copied()
        }
        _ => return Ok(()),
    };
    if plan.kind == Kind::Vectorizer {
        let first = got.failed.first().map(|failed| failed.place);
        let known = first == ends_at || setup.policy() != OnFailure::Stop;
        ensure!(known, "a vectorizer gave the failure at {first:?} and not that at {ends_at:?}");
        return Ok(());
    }
    let ended_at = match got.error.as_ref() {
        None => None,
        Some(Error::Stopped { position, .. }) => Some(position.get()),
        Some(error) => return Err(format!("nothing of this kind was planted: {error}")),
    };
    let unit = if plan.kind == Kind::ApplyBatch { setup.item() } else { 1 };
    ensure!(
        ended_at == ends_at || ended_at == ends_at.map(|place| place / unit),
        "the run ended at {ended_at:?} and not at {ends_at:?} ({:?})",
        plan.kind
    );
    failures_are_exact(plan, setup, got, &failing, ends_at)
}

fn failures_are_exact(plan: &Plan, setup: &Setup, got: &Got, failing: &[u64], ends_at: Option<u64>) -> Law {
    // Of a batch that its stage tampered with not every place can be told yet.
    let tampered = |first: &u64| plan.tamper(*first).is_some_and(|tamper| tamper != Tamper::Swap);
    if setup.kind.in_batches() && failing.iter().any(tampered) {
        return Ok(());
    }
    let came = ends_at.map_or(plan.documents, |place| place + 1);
    let item = setup.item();
    let failed: BTreeSet<u64> = got.failed.iter().map(|failed| failed.place / item * item).collect();
    let expected: BTreeSet<u64> = failing.iter().copied().filter(|first| *first < came).collect();
    let last_dropped = setup.last == crate::kit::face::Last::Drop;
    ensure!(
        failed == expected || last_dropped && failed.is_subset(&expected),
        "those at {failed:?} failed and not those at {expected:?} ({:?})",
        plan.kind
    );
    Ok(())
}
