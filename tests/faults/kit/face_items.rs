//! `parallel`, `parallel::map` and `map_batch`: iterated and polled.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::Poll;

use gapless::parallel::{
    Failed, Map, MapError, Outcome, Outcomes, Pairs, ParallelRun, ParallelStream, Shape, map, map_batch,
    parallel,
};
use gapless::{Accounts, CpuStage as _, Error, Failure, async_stage};

use super::executor::Executor;
use super::face::{Code, Face, Got, Setup};
use super::stages::{Bag, Cpu, Prepared};
use super::world::{Doc, UserCode, World};

/// What is lent to one call of a stage.
pub(super) trait Unit: Send + 'static {
    fn into_documents(self) -> Vec<Doc>;
}

impl Unit for Doc {
    fn into_documents(self) -> Vec<Doc> {
        vec![self]
    }
}

impl Unit for Bag {
    fn into_documents(self) -> Vec<Doc> {
        self.0
    }
}

/// What a run gave.
enum Came<D> {
    Good(D, Prepared),
    Failed(Failure<D>),
    Ended(Error),
    Wrong(String),
}

/// The two shapes of a run, as one.
trait Told<D>: Shape<D, Prepared> {
    fn told(item: Self::Item) -> Came<D>;
}

impl<D> Told<D> for Outcomes {
    fn told(item: Result<Outcome<D, Prepared>, Failed<D>>) -> Came<D> {
        match item {
            Ok(Outcome { position, result, .. }) if result.first != position.get() => {
                Came::Wrong(format!("document {position} has the result of {}", result.first))
            }
            Ok(Outcome { document, result, .. }) => Came::Good(document, result),
            Err(Failed::Item(failure)) => Came::Failed(failure),
            Err(Failed::Run(error)) => Came::Ended(error),
        }
    }
}

impl<D> Told<D> for Pairs {
    fn told(item: Result<(D, Prepared), MapError<D>>) -> Came<D> {
        match item {
            Ok((document, result)) => Came::Good(document, result),
            Err(MapError::Document(failure)) => Came::Failed(failure),
            Err(MapError::Run(error)) => Came::Ended(error),
            Err(error) => Came::Wrong(format!("an unknown kind of error: {error}")),
        }
    }
}

pub(super) fn start_parallel(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, .. } = code;
    let face = parallel(cpu, source).on_failure(setup.policy);
    let mut face = set!(face.order(setup.order), setup);
    if let Some(chunk) = setup.chunk {
        face = face.chunk(chunk);
    }
    ByItem::start(setup, face.run(), world)
}

/// The stage's code runs when a future is begun; what it came to comes out of that, at its second poll.
pub(super) fn start_futures(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, .. } = code;
    let stage = async_stage(move |document: &mut Doc| {
        let made = catch_unwind(AssertUnwindSafe(|| cpu.prepare(document)));
        async move {
            yield_once().await;
            let _user = UserCode::enter();
            made.unwrap_or_else(|payload| resume_unwind(payload))
        }
    });
    let face = parallel(stage, source).on_failure(setup.policy);
    let mut face = set!(face.order(setup.order), setup);
    if let Some(chunk) = setup.chunk {
        face = face.chunk(chunk);
    }
    ByItem::start(setup, face.run(), world)
}

/// Is not ready at its first poll, and has its task polled again.
fn yield_once() -> impl Future<Output = ()> + Send {
    let mut polled = false;
    poll_fn(move |task| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
}

pub(super) fn start_map(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, .. } = code;
    let face: Map<Doc, Cpu> = map(source, cpu);
    ByItem::start(setup, set!(face.order(setup.order), setup).run(), world)
}

pub(super) fn start_map_batch(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, .. } = code;
    let face: Map<Bag, Cpu> = map_batch(source, setup.batch_size, cpu);
    ByItem::start(setup, set!(face.order(setup.order), setup).run(), world)
}

enum Runs<D, S> {
    Iterated(ParallelRun<D, Prepared, S>),
    Polled(ParallelStream<D, Prepared, S>, Executor),
}

struct ByItem<D, S> {
    runs: Runs<D, S>,
    /// Documents of an item.
    size: u64,
    world: Arc<World>,
}

impl<D: Unit, S: Told<D> + 'static> ByItem<D, S> {
    fn start(setup: &Setup, run: ParallelRun<D, Prepared, S>, world: Arc<World>) -> Box<dyn Face> {
        let runs =
            if setup.polled { Runs::Polled(run.into_stream(), Executor::new()) } else { Runs::Iterated(run) };
        Box::new(Self { runs, size: setup.item(), world })
    }

    /// Places of the documents of this item, as far as the source gave them.
    fn places(&self, item: u64) -> std::ops::Range<u64> {
        let given = self.world.given();
        (item * self.size).min(given)..((item + 1) * self.size).min(given)
    }

    fn take(&self, came: Came<D>, got: &mut Got) {
        match came {
            Came::Good(unit, result) => {
                got.delivered.extend(result.first..result.first + result.rows);
                got.documents.extend(unit.into_documents());
                got.kept.push(Box::new(result));
            }
            Came::Failed(Failure { document, position, stage, cause, .. }) => {
                let places = self.places(position.get());
                places.for_each(|place| got.failure(place, stage, cause.clone()));
                got.documents.extend(document.into_documents());
            }
            Came::Ended(error) => got.end(error, &self.world),
            Came::Wrong(wrong) => self.world.wrong(wrong),
        }
    }

    fn run(&self) -> &ParallelRun<D, Prepared, S> {
        match &self.runs {
            Runs::Iterated(run) => run,
            Runs::Polled(stream, _) => stream.run(),
        }
    }
}

impl<D: Unit, S: Told<D> + 'static> Face for ByItem<D, S> {
    fn next(&mut self, got: &mut Got) -> bool {
        let item = match &mut self.runs {
            Runs::Iterated(run) => run.next(),
            Runs::Polled(stream, executor) => executor.next(stream).unwrap_or_else(|wrong| {
                self.world.wrong(wrong);
                None
            }),
        };
        let Some(item) = item else { return false };
        self.take(S::told(item), got);
        true
    }

    fn stop(&mut self) -> bool {
        match &mut self.runs {
            Runs::Iterated(run) => {
                run.stop();
                true
            }
            Runs::Polled(..) => false,
        }
    }

    fn take_back(&mut self) -> Option<Vec<(u64, Doc)>> {
        let Runs::Iterated(run) = &mut self.runs else { return None };
        let size = self.size;
        let places =
            |(position, unit): (gapless::Position, D)| (position.get() * size..).zip(unit.into_documents());
        Some(run.take_back().into_iter().flat_map(places).collect())
    }

    fn accounts(&self) -> Option<Accounts> {
        Some(self.run().accounts())
    }

    fn left_behind(&self) -> Vec<String> {
        self.run().report().left_behind
    }
}
