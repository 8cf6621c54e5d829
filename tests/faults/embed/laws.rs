//! The laws that hold at every end of every `embed`.
//!
//! 1. Every document is in its place, and is the one that was there, or the one that the stage put there.
//! 2. The accounts balance, and say what came out.
//! 3. A document has the embedding that its own pixels give, or none; one that was delivered has it, and one
//!    that failed has none.
//! 4. The run ended for a reason that was planted, and where documents only fail for themselves it is known
//!    which fail, where, and what ends the run.

use std::collections::{BTreeMap, BTreeSet};

use gapless::doc::{Doc, DocArray};
use gapless::parallel::Ended;
use gapless::{Accounts, Error, Failure, OnFailure, Stage};

use super::plan::Plan;
use crate::kit::laws::{Law, ensure};

/// What came of a run.
pub(super) struct Came {
    pub(super) failures: Vec<Failure<()>>,
    /// `None` where a panic of the caller's own came out.
    pub(super) run: Option<Ended>,
    pub(super) error: Option<Error>,
    /// Documents that the caller was told of.
    pub(super) told: usize,
}

pub(super) fn laws_hold(plan: &Plan, docs: &DocArray, tampered: &BTreeSet<u64>, came: &Came) -> Law {
    let accounts = came.run.as_ref().map(Ended::accounts);
    let docs = in_their_places(docs, tampered)?;
    none_is_missing(plan, &docs, accounts)?;
    let failed: BTreeMap<u64, Stage> =
        came.failures.iter().map(|failure| (failure.position.get(), failure.stage)).collect();
    ensure!(failed.len() == came.failures.len(), "law 2: a document failed twice: {:?}", came.failures);
    embeddings_are_right(plan, &docs, &failed)?;
    match accounts {
        Some(accounts) => accounts_say_so(plan, &docs, &failed, accounts, came)?,
        None => told_of_is_done(plan, &docs, came.told)?,
    }
    end_was_planted(plan, came)?;
    if plan.is_known() && plan.broken.is_none() && came.run.is_some() {
        end_is_exact(plan, &failed, came)?;
    }
    Ok(())
}

/// Law 1: the documents by their places.
fn in_their_places<'a>(
    docs: &'a DocArray,
    tampered: &BTreeSet<u64>,
) -> Result<BTreeMap<u64, &'a Doc>, String> {
    let mut found = BTreeMap::new();
    let mut next = 0;
    for doc in docs.iter() {
        let place: u64 = doc.id.trim_end_matches('\'').parse().map_err(|_| format!("who is {}?", doc.id))?;
        ensure!(place >= next, "law 1: document {} is not in its place", doc.id);
        let swapped = doc.id.ends_with('\'');
        ensure!(swapped == tampered.contains(&place), "law 1: document {} is another", doc.id);
        next = place + 1;
        found.insert(place, doc);
    }
    Ok(found)
}

/// Law 1: only a call that had not returned within the grace period keeps its document.
fn none_is_missing(plan: &Plan, docs: &BTreeMap<u64, &Doc>, accounts: Option<Accounts>) -> Law {
    let missing = plan.documents - docs.len() as u64;
    let stays = docs.keys().all(|place| *place < plan.documents);
    ensure!(stays, "law 1: there are more documents than before");
    let late = match (plan.grace, accounts) {
        (None, _) => 0,
        // One that returns after the others were put back is cancelled then.
        (Some(_), Some(accounts)) => accounts.stuck + accounts.cancelled,
        (Some(_), None) => plan.documents,
    };
    ensure!(missing <= late, "law 1: {missing} documents are not back {accounts:?}");
    Ok(())
}

/// Law 3.
fn embeddings_are_right(plan: &Plan, docs: &BTreeMap<u64, &Doc>, failed: &BTreeMap<u64, Stage>) -> Law {
    for (place, doc) in docs {
        let Some(embedding) = &doc.embedding else { continue };
        ensure!(!failed.contains_key(place), "law 3: document {place} failed and has an embedding");
        ensure!(plan.fails_in(*place).is_none(), "law 3: document {place} cannot have an embedding");
        ensure!(*embedding == plan.embedding(*place), "law 3: document {place} has that of another");
    }
    Ok(())
}

/// Laws 2 and 3: what came out stands at the front, and is done.
fn accounts_say_so(
    plan: &Plan,
    docs: &BTreeMap<u64, &Doc>,
    failed: &BTreeMap<u64, Stage>,
    accounts: Accounts,
    came: &Came,
) -> Law {
    ensure!(accounts.balance(), "law 2: the accounts do not balance {accounts:?}");
    ensure!(accounts.pulled <= plan.documents, "law 2: too many were pulled {accounts:?}");
    ensure!(accounts.stuck == 0 || plan.grace.is_some(), "law 2: documents are called stuck {accounts:?}");
    ensure!(accounts.failed == failed.len() as u64, "law 2: others failed than came out {accounts:?}");
    let out = accounts.delivered + accounts.failed;
    ensure!(came.told as u64 == out, "law 2: the caller was told of {} {accounts:?}", came.told);
    for place in 0..out {
        let embedded = docs.get(&place).is_some_and(|doc| doc.embedding.is_some());
        ensure!(
            embedded != failed.contains_key(&place),
            "law 3: document {place} came out undone {accounts:?}"
        );
    }
    if came.error.is_none() {
        ensure!(out == plan.documents, "law 2: a run that finished has lost some {accounts:?}");
    }
    Ok(())
}

/// Law 3, where all that is known is of how many the caller was told.
fn told_of_is_done(plan: &Plan, docs: &BTreeMap<u64, &Doc>, told: usize) -> Law {
    for place in (0..told as u64).filter(|_| plan.is_known()) {
        let embedded = docs.get(&place).is_some_and(|doc| doc.embedding.is_some());
        ensure!(embedded == plan.fails_in(place).is_none(), "law 3: document {place} was told of undone");
    }
    Ok(())
}

/// Law 4.
fn end_was_planted(plan: &Plan, came: &Came) -> Law {
    let lies = plan.own_stage && plan.rates.lie != crate::plan::NEVER;
    let planted = match &came.error {
        None => plan.broken.is_none() || came.run.is_none(),
        Some(Error::Setting { .. } | Error::Open { .. }) => {
            plan.broken.is_some() && came.failures.is_empty() && came.told == 0
        }
        Some(Error::Stopped { .. }) => plan.policy != OnFailure::Skip,
        Some(Error::Batch { .. }) => lies && plan.policy != OnFailure::Skip,
        Some(Error::Deadline { .. }) => plan.deadline.is_some(),
        Some(_) => false,
    };
    ensure!(planted, "law 4: not planted: {:?}", came.error);
    Ok(())
}

/// Law 4, where documents fail for themselves alone.
fn end_is_exact(plan: &Plan, failed: &BTreeMap<u64, Stage>, came: &Came) -> Law {
    for (place, stage) in failed {
        let planned = plan.fails_in(*place);
        ensure!(planned == Some(*stage), "law 4: document {place} failed in the {stage}, not {planned:?}");
    }
    let Some(ends_at) = plan.ends_at() else { return Ok(()) };
    let ended_at = match &came.error {
        Some(Error::Stopped { position, .. }) => Some(position.get()),
        _ => None,
    };
    ensure!(ended_at == ends_at, "law 4: it ended at {ended_at:?} and not at {ends_at:?}");
    let all = (0..plan.documents).filter(|place| plan.fails_in(*place).is_some()).count();
    ensure!(ends_at.is_some() || failed.len() == all, "law 4: {} failed, and {all} should", failed.len());
    Ok(())
}
