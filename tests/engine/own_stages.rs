//! Each law of GPU stages is found broken where a stage breaks it, and stages that keep all of them are right.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use gapless::testing::{BrokenLaw, Law, check_stage};
use gapless::{Cause, GpuStage, StageError};

use crate::support::{planted_panic, plus_one, watch};

/// What a stage does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    OpensForOne,
    NoDepth,
    DepthGrows,
    RefusesGood,
    AcceptsBad,
    SubmitFails,
    NeverDone,
    RowMissing,
    Reversed,
    SumOfBatch,
    Remembers,
    SharesItsBuffer,
    BoundToAThread,
    TicketDropPanics,
    StageDropPanics,
    FailureIsAResult,
    FailureIsALoss,
    FailsForGood,
    LossIsAFailure,
    LossIsSilent,
    CannotBeMadeAgain,
    MadeAgainOtherwise,
    MadeAgainShallower,
    Panics,
}

/// Squares numbers; refuses 0, and fails where 13 is in a batch.
struct Squares {
    bug: Bug,
    depth: usize,
    opened_on: ThreadId,
    calls: u64,
    last: Vec<u64>,
    lost: bool,
    stuck: bool,
    offset: u64,
    tickets: Arc<()>,
}

struct Ticket {
    bug: Bug,
    rows: Option<Vec<u64>>,
    asked: bool,
    _alive: Arc<()>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.bug == Bug::TicketDropPanics && self.rows.is_some() {
            planted_panic()
        }
    }
}

impl Drop for Squares {
    fn drop(&mut self) {
        if self.bug == Bug::StageDropPanics && Arc::strong_count(&self.tickets) > 1 {
            planted_panic()
        }
    }
}

impl Squares {
    fn new(bug: Bug) -> Self {
        Self {
            bug,
            depth: 2,
            opened_on: thread::current().id(),
            calls: 0,
            last: Vec::new(),
            lost: false,
            stuck: false,
            offset: 0,
            tickets: Arc::new(()),
        }
    }

    fn check_device(&self) -> Result<(), StageError> {
        let cause = Cause::msg("unplugged");
        match (self.lost, self.bug) {
            (false, _) | (true, Bug::LossIsSilent) => Ok(()),
            (true, Bug::LossIsAFailure) => Err(StageError::Batch(cause)),
            (true, _) => Err(StageError::Lost(cause)),
        }
    }

    fn check_batch(&mut self, batch: &[u64]) -> Result<(), StageError> {
        if self.bug == Bug::BoundToAThread && thread::current().id() != self.opened_on {
            return Err(Cause::msg("another thread").into());
        }
        if self.stuck || self.bug == Bug::SubmitFails {
            return Err(Cause::msg("stuck").into());
        }
        if !batch.contains(&13) || self.bug == Bug::FailureIsAResult {
            return Ok(());
        }
        self.stuck = self.bug == Bug::FailsForGood;
        let cause = Cause::msg("no 13");
        Err(if self.bug == Bug::FailureIsALoss { StageError::Lost(cause) } else { StageError::Batch(cause) })
    }

    fn rows(&self, batch: &[u64]) -> Vec<u64> {
        let added = match self.bug {
            Bug::SumOfBatch => batch.len() as u64,
            Bug::Remembers => self.calls / 4,
            _ => self.offset,
        };
        let mut rows: Vec<u64> = batch.iter().map(|number| number * number + added).collect();
        match self.bug {
            Bug::RowMissing if rows.len() > 2 => drop(rows.pop()),
            Bug::Reversed => rows.reverse(),
            _ => {}
        }
        rows
    }
}

impl GpuStage<u64> for Squares {
    type Output = Vec<u64>;
    type Ticket = Ticket;

    fn open(&mut self, max_batch: usize) -> Result<(), Cause> {
        if self.bug == Bug::OpensForOne && max_batch > 1 { Err(Cause::msg("too many")) } else { Ok(()) }
    }

    fn depth(&self) -> usize {
        match self.bug {
            Bug::NoDepth => 0,
            Bug::DepthGrows => self.depth + usize::from(self.calls > 0),
            _ => self.depth,
        }
    }

    fn accepts(&self, item: &u64) -> Result<(), Cause> {
        match (item, self.bug) {
            (0, Bug::AcceptsBad) => Ok(()),
            (0, _) | (3, Bug::RefusesGood) => Err(Cause::msg(format!("no {item}"))),
            _ => Ok(()),
        }
    }

    fn submit(&mut self, batch: &[u64]) -> Result<Ticket, StageError> {
        if self.bug == Bug::Panics {
            planted_panic()
        }
        self.check_device()?;
        self.check_batch(batch)?;
        self.calls += 1;
        self.last = self.rows(batch);
        let rows = Some(self.last.clone());
        Ok(Ticket { bug: self.bug, rows, asked: false, _alive: self.tickets.clone() })
    }

    fn try_collect(&mut self, ticket: &mut Ticket, _: Duration) -> Result<Option<Vec<u64>>, StageError> {
        self.check_device()?;
        if !std::mem::replace(&mut ticket.asked, true) || self.bug == Bug::NeverDone {
            return Ok(None);
        }
        let rows = ticket.rows.take();
        Ok(if self.bug == Bug::SharesItsBuffer { Some(self.last.clone()) } else { rows })
    }

    fn reopen(&mut self) -> Result<(), StageError> {
        self.lost = false;
        match self.bug {
            Bug::CannotBeMadeAgain => return Err(Cause::msg("it is gone").into()),
            Bug::MadeAgainOtherwise => self.offset = 1,
            Bug::MadeAgainShallower => self.depth = 1,
            _ => {}
        }
        Ok(())
    }
}

fn checked(bug: Bug) -> Result<(), BrokenLaw> {
    let patience = if bug == Bug::NeverDone { Duration::ZERO } else { Duration::from_secs(60) };
    check_stage(|| Squares::new(bug), &[2, 3, 5, 7])
        .refuses(&0)
        .fails(&[4, 13])
        .loses(|stage| stage.lost = true)
        .patience(patience)
        .run()
}

#[test]
fn each_law_is_named_by_a_stage_that_breaks_it() {
    let _watch = watch();
    let planted = [
        (Bug::OpensForOne, Law::Open),
        (Bug::NoDepth, Law::Depth),
        (Bug::DepthGrows, Law::Depth),
        (Bug::RefusesGood, Law::Accepts),
        (Bug::AcceptsBad, Law::Accepts),
        (Bug::SubmitFails, Law::Result),
        (Bug::NeverDone, Law::Result),
        (Bug::RowMissing, Law::Rows),
        (Bug::Reversed, Law::Order),
        (Bug::SumOfBatch, Law::Sizes),
        (Bug::Remembers, Law::Sizes),
        (Bug::SharesItsBuffer, Law::InFlight),
        (Bug::BoundToAThread, Law::Threads),
        (Bug::TicketDropPanics, Law::Drops),
        (Bug::StageDropPanics, Law::Drops),
        (Bug::FailureIsAResult, Law::Failures),
        (Bug::FailureIsALoss, Law::Failures),
        (Bug::FailsForGood, Law::Failures),
        (Bug::LossIsAFailure, Law::Loss),
        (Bug::LossIsSilent, Law::Loss),
        (Bug::CannotBeMadeAgain, Law::Loss),
        (Bug::MadeAgainOtherwise, Law::Loss),
        (Bug::MadeAgainShallower, Law::Depth),
        (Bug::Panics, Law::Panics),
    ];
    for (bug, law) in planted {
        let broken = checked(bug).expect_err("a law is broken");
        assert_eq!(broken.law(), law, "{bug:?}: {broken}");
        assert!(broken.to_string().starts_with(&format!("{law}: ")), "{broken}");
    }
    let equal = check_stage(|| Squares::new(Bug::None), &[2, 2, 3]).run().expect_err("order cannot be seen");
    let laws: HashSet<Law> = planted.into_iter().map(|(_, law)| law).chain([equal.law()]).collect();
    assert_eq!(laws.len(), 14, "each law is planted");
}

#[test]
fn a_stage_that_keeps_all_laws_is_right() {
    let _watch = watch();
    checked(Bug::None).unwrap();
    check_stage(|| plus_one, &[1, 2, 3]).run().unwrap();
    check_stage(|| |batch: &[f32]| batch.to_vec(), &[1.0, f32::NAN, 3.0])
        .same(|one, other| one.to_bits() == other.to_bits())
        .run()
        .unwrap();
}
