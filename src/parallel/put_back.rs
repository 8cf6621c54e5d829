//! Documents that are lent to a run: who puts every one back, whatever ends the work.
//!
//! What the engine had not pulled stands in a [`Rest`] that is held here too; what came out is kept here; what
//! was in flight is given back by the run. Nothing is put back before the run has ended.
//!
//! Uses: `run`. Used by: `apply`, and `embed` of documents.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::items::Items;
use super::{Applied, ApplyError, Ended, Failed, Outcome, Outcomes};
use crate::error::{Cause, Error, Failure, Stage};
use crate::observe::progress::Progress;
use crate::pipeline::gather::Rest;
use crate::pipeline::how::Hook;
use crate::pipeline::{Driven, drop_user, guard};
use crate::place::{Position, in_order};
use crate::stage::IntoResult;

/// Documents that are lent; they are back in their vector when this is dropped.
pub(crate) struct PutBack<'d, 'a, D, T, R> {
    documents: &'d mut Vec<D>,
    rest: Rest<D>,
    run: Items<'a, T, R, Outcomes>,
    /// What came out, good or not.
    done: Vec<(Position, T)>,
    failures: Vec<Failure<()>>,
    /// Why documents of a batch are gone.
    broken: Option<Cause>,
    spill: Spill<D, T>,
    /// Whether everything is back.
    is_back: bool,
}

/// Puts the documents of an item at the end of a vector.
pub(crate) type Spill<D, T> = fn(T, &mut Vec<D>) -> Result<(), Cause>;

impl<'d, 'a, D, T, R> PutBack<'d, 'a, D, T, R> {
    /// Lends all documents to the run that `start` makes of them.
    pub(crate) fn lend(
        documents: &'d mut Vec<D>,
        spill: Spill<D, T>,
        on_progress: Option<Hook<Progress>>,
        start: impl FnOnce(Rest<D>) -> Driven<'a, T, Vec<R>>,
    ) -> Self {
        let rest = Rest::of(std::mem::take(documents));
        let started = catch_unwind(AssertUnwindSafe(|| start(rest.clone())));
        let run = started.unwrap_or_else(|payload| {
            documents.extend(rest.give_back());
            resume_unwind(payload)
        });
        let run = Items::new(run, on_progress, None);
        let (done, failures) = (Vec::new(), Vec::new());
        Self { documents, rest, run, done, failures, broken: None, spill, is_back: false }
    }

    /// Gives each result to this function, and puts everything back.
    pub(crate) fn work<E>(mut self, each: impl FnMut(R) -> E) -> Result<Applied, ApplyError>
    where
        E: IntoResult<Value = ()>,
    {
        // Nothing is dropped while a panic of the caller's function goes on its way.
        let worked = catch_unwind(AssertUnwindSafe(|| self.each(each)));
        self.put_back();
        let worked = worked.unwrap_or_else(|payload| resume_unwind(payload));
        let (run, failures) = (Ended::of(&self.run), std::mem::take(&mut self.failures));
        let broken = self.broken.take().map(|cause| Error::Documents { cause });
        match worked.err().or(broken) {
            None => Ok(Applied { failures, run }),
            Some(error) => Err(ApplyError { error, failures, run }),
        }
    }

    fn each<E>(&mut self, mut each: impl FnMut(R) -> E) -> Result<(), Error>
    where
        E: IntoResult<Value = ()>,
    {
        while let Some(item) = self.run.next() {
            match item {
                Ok(Outcome { position, document, result }) => {
                    self.done.push((position, document));
                    each(result).into_result().map_err(|cause| Error::Documents { cause })?;
                }
                Err(Failed::Item(Failure { document, position, stage, cause })) => {
                    self.done.push((position, document));
                    self.fail(position, stage, cause);
                }
                Err(Failed::Run(error)) => return Err(error.at(|item| self.rest.places().first_of(item))),
            }
        }
        Ok(())
    }

    fn fail(&mut self, item: Position, stage: Stage, cause: Cause) {
        let position = self.rest.places().first_of(item);
        self.failures.push(Failure { document: (), position, stage, cause });
    }

    /// Ends the run. Documents come in the order of the source: what came out, what was in flight, what had
    /// not been pulled. It is done once: what a call gives back that had not returned by then has no place left.
    fn put_back(&mut self) {
        if self.is_back {
            return;
        }
        self.run.stop();
        let done = std::mem::take(&mut self.done).into_iter().chain(self.run.take_back());
        for (position, unit) in in_order(done, |(position, _)| position.whole()) {
            if let Err(cause) = (self.spill)(unit, self.documents) {
                let cause = cause.context("documents of a batch could not be taken out of it");
                self.broken.get_or_insert(cause.clone());
                self.fail(position, Stage::Source, cause);
            }
        }
        self.documents.extend(self.rest.give_back());
        self.is_back = true;
    }
}

impl<D, T, R> Drop for PutBack<'_, '_, D, T, R> {
    fn drop(&mut self) {
        self.put_back();
    }
}

/// Puts a document at the end of a vector.
#[expect(clippy::unnecessary_wraps, reason = "a batch can fail to be put back")]
pub(crate) fn spill_one<D>(document: D, into: &mut Vec<D>) -> Result<(), Cause> {
    into.push(document);
    Ok(())
}

/// Takes a batch apart. Its iterator is user code: what it says of its length is not asked for, and where it
/// panics it is asked for the next document once more, since it may still hold others.
pub(crate) fn spill_batch<D, B: IntoIterator<Item = D>>(batch: B, into: &mut Vec<D>) -> Result<(), Cause> {
    let mut documents = guard(|| batch.into_iter())?;
    let (mut first, mut again) = (Ok(()), false);
    loop {
        match guard(|| documents.next()) {
            Ok(Some(document)) => {
                into.push(document);
                again = false;
            }
            Ok(None) => break,
            Err(cause) => {
                first = first.and(Err(cause));
                if std::mem::replace(&mut again, true) {
                    break;
                }
            }
        }
    }
    drop_user(documents);
    first
}
