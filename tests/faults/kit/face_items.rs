//! `parallel`, iterated and polled, and `parallel::map` and `map_batch`.

use std::sync::Arc;

use gapless::parallel::{
    Failed, Map, MapError, MapRun, Outcome, ParallelRun, ParallelStream, map, map_batch, parallel,
};
use gapless::{Accounts, CpuStage, Watchdog};

use super::executor::Executor;
use super::face::{Code, Face, Got, Setup};
use super::stages::{Bag, Cpu, Prepared};
use super::world::{Doc, World};

pub(super) fn start_parallel(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, .. } = code;
    let mut run = parallel(cpu, source).order(setup.order).on_failure(setup.policy);
    run = match &setup.pool {
        Some(pool) => run.pool(pool),
        None => run.workers(setup.workers),
    };
    if let Some(ahead) = setup.ahead {
        run = run.ahead(ahead);
    }
    if let Some(chunk) = setup.chunk {
        run = run.chunk(chunk);
    }
    if let Some(grace) = setup.grace {
        run = run.grace(grace);
    }
    if let Some(deadline) = setup.deadline {
        run = run.deadline(deadline);
    }
    if let Some(patience) = setup.patience {
        run = run.watchdog(patience, Watchdog::End).on_stall(|_| ());
    }
    let run = run.run();
    if setup.polled {
        Box::new(Polled { stream: run.into_stream(), executor: Executor::new(), world })
    } else {
        Box::new(Iterated { run, world })
    }
}

fn take(item: Option<Result<Outcome<Doc, Prepared>, Failed<Doc>>>, got: &mut Got, world: &World) -> bool {
    match item {
        None => return false,
        Some(Ok(outcome)) => {
            let Outcome { position, document, result, .. } = outcome;
            if result.first != position.get() {
                world.wrong(format_args!("document {position} has the result of {}", result.first));
            }
            got.delivered.push(position.get());
            got.documents.push(document);
            got.kept.push(Box::new(result));
        }
        Some(Err(Failed::Item(failure))) => {
            got.failure(failure.position.get(), failure.stage, failure.cause);
            got.documents.push(failure.document);
        }
        Some(Err(Failed::Run(error))) => got.end(error, world),
    }
    true
}

struct Iterated {
    run: ParallelRun<Doc, Prepared>,
    world: Arc<World>,
}

impl Face for Iterated {
    fn next(&mut self, got: &mut Got) -> bool {
        take(self.run.next(), got, &self.world)
    }

    fn stop(&mut self) -> bool {
        self.run.stop();
        true
    }

    fn take_back(&mut self) -> Option<Vec<(u64, Doc)>> {
        Some(
            self.run.take_back().into_iter().map(|(position, document)| (position.get(), document)).collect(),
        )
    }

    fn accounts(&self) -> Option<Accounts> {
        Some(self.run.accounts())
    }

    fn left_behind(&self) -> Vec<String> {
        self.run.report().left_behind
    }
}

struct Polled {
    stream: ParallelStream<Doc, Prepared>,
    executor: Executor,
    world: Arc<World>,
}

impl Face for Polled {
    fn next(&mut self, got: &mut Got) -> bool {
        match self.executor.next(&mut self.stream) {
            Ok(item) => take(item, got, &self.world),
            Err(wrong) => {
                self.world.wrong(wrong);
                false
            }
        }
    }

    fn stop(&mut self) -> bool {
        false
    }

    fn take_back(&mut self) -> Option<Vec<(u64, Doc)>> {
        None
    }

    fn accounts(&self) -> Option<Accounts> {
        Some(self.stream.run().accounts())
    }

    fn left_behind(&self) -> Vec<String> {
        self.stream.run().report().left_behind
    }
}

/// What a `map` gives for one call of its stage.
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

pub(super) fn start_map(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, .. } = code;
    Box::new(Mapped { run: with(setup, map(source, cpu)).run(), size: 1, world })
}

pub(super) fn start_map_batch(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, .. } = code;
    let map = map_batch::<_, Bag, _>(source, setup.batch_size, cpu);
    Box::new(Mapped { run: with(setup, map).run(), size: setup.batch_size as u64, world })
}

fn with<T: Unit>(setup: &Setup, mut map: Map<T, Cpu>) -> Map<T, Cpu>
where
    Cpu: CpuStage<T, Prepared = Prepared>,
{
    map = map.order(setup.order);
    map = match &setup.pool {
        Some(pool) => map.pool(pool),
        None => map.workers(setup.workers),
    };
    if let Some(ahead) = setup.ahead {
        map = map.ahead(ahead);
    }
    if let Some(grace) = setup.grace {
        map = map.grace(grace);
    }
    if let Some(patience) = setup.patience {
        map = map.watchdog(patience, Watchdog::End).on_stall(|_| ());
    }
    map
}

struct Mapped<T> {
    run: MapRun<T, Prepared>,
    /// Documents of a unit.
    size: u64,
    world: Arc<World>,
}

impl<T: Unit> Mapped<T> {
    /// Places of the documents of this unit, as far as the source gave them.
    fn places(&self, unit: u64) -> std::ops::Range<u64> {
        let given = self.world.given();
        (unit * self.size).min(given)..((unit + 1) * self.size).min(given)
    }
}

impl<T: Unit> Face for Mapped<T> {
    fn next(&mut self, got: &mut Got) -> bool {
        match self.run.next() {
            None => return false,
            Some(Ok((unit, result))) => {
                got.delivered.extend(result.first..result.first + result.rows);
                got.documents.extend(unit.into_documents());
                got.kept.push(Box::new(result));
            }
            Some(Err(MapError::Document(failure))) => {
                let documents = failure.document.into_documents();
                for place in self.places(failure.position.get()) {
                    got.failure(place, failure.stage, failure.cause.clone());
                }
                got.documents.extend(documents);
            }
            Some(Err(MapError::Run(error))) => got.end(error, &self.world),
            Some(Err(error)) => self.world.wrong(format_args!("an unknown kind of error: {error}")),
        }
        true
    }

    fn stop(&mut self) -> bool {
        self.run.stop();
        true
    }

    fn take_back(&mut self) -> Option<Vec<(u64, Doc)>> {
        let units = self.run.take_back().into_iter();
        Some(
            units
                .flat_map(|(position, unit)| {
                    let first = position.get() * self.size;
                    (first..).zip(unit.into_documents())
                })
                .collect(),
        )
    }

    fn accounts(&self) -> Option<Accounts> {
        Some(self.run.accounts())
    }

    fn left_behind(&self) -> Vec<String> {
        Vec::new()
    }
}
