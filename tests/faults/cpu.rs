//! A CPU stage and a source that misbehave as their plan says.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use gapless::{Cause, StageError, parallel};

use crate::kit::stages::{CpuCode, Prepared, SourceCode, Work};
use crate::kit::world::{Doc, Id, Trouble, What, World, panic_quietly};
use crate::plan::{Busy, Fault, Hint, Plan, Tamper};

/// Longest time that user code blocks: it cannot hold up a run for long.
const MOMENT: Duration = Duration::from_millis(1);

pub(crate) struct Hostile {
    pub(crate) plan: Arc<Plan>,
    pub(crate) world: Arc<World>,
    /// Whether it has been interrupted.
    pub(crate) interrupted: (Mutex<bool>, Condvar),
    /// Documents that it took and keeps.
    pub(crate) stash: Mutex<Vec<Doc>>,
}

/// An error of user code, or a panic.
pub(crate) fn happen<T>(fault: Fault, plan: &Plan, world: &Arc<World>, id: u64) -> Result<T, Cause> {
    trouble(fault, plan.bomb(1, id, plan.bombs.error), world)
}

/// The same, where the error may be a bomb.
pub(crate) fn trouble<T>(fault: Fault, bomb: bool, world: &Arc<World>) -> Result<T, Cause> {
    match fault {
        Fault::Err | Fault::Unshowable => {
            let cannot_be_shown = fault == Fault::Unshowable;
            Err(Cause::from(Trouble { cannot_be_shown, _life: world.life(What::Error, bomb) }))
        }
        Fault::Panic => panic_quietly("a stage"),
    }
}

/// As [`happen`], in a device.
pub(crate) fn happen_in_device(
    fault: Fault,
    plan: &Plan,
    world: &Arc<World>,
    id: u64,
) -> Result<(), StageError> {
    happen::<()>(fault, plan, world, id).map_err(StageError::Batch)
}

impl Hostile {
    fn keep(&self, document: Doc) {
        self.stash.lock().unwrap_or_else(PoisonError::into_inner).push(document.taken());
    }

    fn tamper_with_one(&self, document: &mut Doc) {
        let own = std::mem::replace(document, self.world.extra());
        self.keep(own);
    }

    fn tamper_with_many(&self, documents: &mut Vec<Doc>, tamper: Tamper) {
        match tamper {
            Tamper::Take => std::mem::take(documents).into_iter().for_each(|document| self.keep(document)),
            Tamper::Pop => documents.pop().into_iter().for_each(|document| self.keep(document)),
            Tamper::Clear => {
                let taken: Vec<Doc> = std::mem::take(documents).into_iter().map(Doc::taken).collect();
                taken.into_iter().for_each(drop_quietly);
            }
            Tamper::Add => documents.push(self.world.extra()),
            Tamper::Swap => documents.iter_mut().take(1).for_each(|first| self.tamper_with_one(first)),
        }
    }

    fn be_busy(&self, busy: Busy) -> Result<(), Cause> {
        match busy {
            Busy::Blocks => {
                let (interrupted, changed) = &self.interrupted;
                let state = interrupted.lock().unwrap_or_else(PoisonError::into_inner);
                drop(changed.wait_timeout_while(state, MOMENT, |interrupted| !*interrupted));
            }
            Busy::CallsRayon => {
                let (one, other) = rayon::join(|| 1, || 2);
                assert_eq!(one + other, 3);
            }
            Busy::SpawnsThread => {
                std::thread::spawn(|| ()).join().map_err(|_| Cause::msg("planted: a thread of its own"))?;
            }
            Busy::RunsPipeline => {
                let same = |number: &mut u64| Ok::<_, Cause>(*number);
                let numbers = parallel(same, 0..4).workers(1).collect();
                let numbers = numbers.map_err(|failed| Cause::msg(format_args!("planted: {failed}")))?;
                assert_eq!(numbers, [0, 1, 2, 3]);
            }
        }
        Ok(())
    }
}

/// User code drops what it took, and catches what comes of it.
fn drop_quietly(document: Doc) {
    drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(document))));
}

fn first_place(documents: &[Doc]) -> u64 {
    match documents.first().map(|document| document.id) {
        Some(Id::Source(place)) => place,
        other => panic!("a stage is given documents of the source: {other:?}"),
    }
}

impl CpuCode for Hostile {
    fn prepare(&self, mut work: Work<'_>) -> Result<Prepared, Cause> {
        let documents = match &work {
            Work::One(document) => std::slice::from_ref(&**document),
            Work::Many(documents) => documents,
        };
        let Some(_) = documents.first() else {
            // Whoever gathered the batch took them all.
            return Err(Cause::msg("planted: nothing to do"));
        };
        let (first, rows) = (first_place(documents), documents.len() as u64);
        if let Some(busy) = self.plan.busy(first) {
            self.be_busy(busy)?;
        }
        if let Some(tamper) = self.plan.tamper(first) {
            match &mut work {
                Work::One(document) => self.tamper_with_one(document),
                Work::Many(documents) => self.tamper_with_many(documents, tamper),
            }
        }
        if let Some(fault) = self.plan.prepare_fault(first) {
            return happen(fault, &self.plan, &self.world, first);
        }
        let bomb = self.plan.bomb(2, first, self.plan.bombs.prepared);
        Ok(Prepared { first, rows, life: self.world.life(What::Prepared, bomb) })
    }

    fn recycle(&self, used: Prepared) {
        if self.plan.fault(3, used.first, self.plan.rates.recycle).is_some() {
            panic_quietly("recycle");
        }
    }

    fn interrupt(&self) {
        let (interrupted, changed) = &self.interrupted;
        *interrupted.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
        if self.plan.bombs.cpu {
            panic_quietly("interrupt");
        }
    }
}

/// A source that gives as many documents as planned, and lies.
pub(crate) struct Liar {
    pub(crate) plan: Arc<Plan>,
    pub(crate) world: Arc<World>,
    pub(crate) ended: bool,
}

impl SourceCode for Liar {
    fn next(&mut self) -> Option<Doc> {
        let place = self.world.given();
        if self.ended {
            self.world.wrong("a source was asked again after its end");
            return self.plan.source.goes_on.then(|| self.world.document(false));
        }
        if self.plan.source.panics_at == Some(place) {
            self.ended = true;
            panic_quietly("next");
        }
        if place >= self.plan.documents {
            self.ended = true;
            return None;
        }
        if self.plan.bomb(3, place, self.plan.source.blocks) {
            std::thread::park_timeout(MOMENT);
        }
        Some(self.world.document(self.plan.bomb(4, place, self.plan.bombs.document)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.plan.documents - self.world.given().min(self.plan.documents)) as usize;
        match self.plan.source.hint {
            Hint::Exact => (left, Some(left)),
            Hint::TooSmall => (left / 2, Some(left / 2)),
            Hint::TooLarge => (left + 7, Some(left + 7)),
            Hint::Endless => (usize::MAX, None),
            Hint::Absurd => (5, Some(3)),
            Hint::Panics => panic_quietly("size_hint"),
        }
    }
}
