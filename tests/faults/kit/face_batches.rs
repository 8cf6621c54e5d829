//! `Pipeline`, per document and per batch, with and without `then`: iterated and polled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use gapless::pipeline::{After, Mode, RunStream};
use gapless::{Accounts, Auto, Batch, Cause, CpuStage, Error, LastBatch, Pipeline, Run};

use super::executor::Executor;
use super::face::{Code, Face, Got, Kind, Last, Setup};
use super::face_whole::Whole;
use super::plain;
use super::stages::{Cpu, Device, Out, Part, Prepared, Row, Source};
use super::world::{Doc, World};

/// A result of a batch, of which each row has a place.
pub(super) trait OfRows: Send + 'static {
    fn places(&self) -> Vec<u64>;
}

impl OfRows for Out {
    fn places(&self) -> Vec<u64> {
        self.rows.iter().map(|row| row.place).collect()
    }
}

impl OfRows for Vec<Part> {
    fn places(&self) -> Vec<u64> {
        self.iter().map(|part| part.place).collect()
    }
}

pub(super) fn start(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, mut devices, then, source, .. } = code;
    match setup.kind {
        Kind::Batches => {
            devices.truncate(1);
            let device = devices.pop().expect("there is a device");
            let pipeline = Pipeline::<Doc, Cpu, Device, _, _>::per_batch(cpu, device);
            run(setup, with(setup, pipeline), source, world)
        }
        Kind::Then => {
            let pipeline = Pipeline::<Doc, Cpu, Device>::on_devices(cpu, devices).then(then);
            run(setup, with(setup, cut(setup, pipeline)), source, world)
        }
        Kind::Halves | Kind::ThreeHalves => {
            let (first, lives) = (Pipeline::<Doc, Cpu, Device>::on_devices(cpu, devices), world.clone());
            let prepare = move |document: &mut Doc, row: &Row| {
                let part = then(document, row)?;
                let place = part.place;
                // It may panic when it is dropped, which is no failure of this half.
                let _panic = catch_unwind(AssertUnwindSafe(|| drop(part)));
                Ok::<_, Cause>(plain::prepared((place, 1), &lives))
            };
            let halves = with(setup, cut(setup, first)).then_gpu(prepare, plain::behaved(&world));
            let halves = halves.last_half(|half| {
                let half = half.batch_size(setup.batch_size).on_failure(setup.policy).order(setup.order);
                let half = if let Some(grace) = setup.grace { half.grace(grace) } else { half };
                match &setup.pool {
                    Some(pool) => half.pool(pool),
                    None => half.workers(setup.workers),
                }
            });
            if setup.kind == Kind::Halves {
                return faced(setup, halves.run(source), world);
            }
            let lives = world.clone();
            let third = move |_: &mut Doc, row: &Row| Ok::<_, Cause>(plain::prepared((row.place, 1), &lives));
            let halves = halves.then_gpu(third, plain::behaved(&world));
            let halves = halves.last_half(|half| half.batch_size(setup.batch_size));
            faced(setup, halves.run(source), world)
        }
        _ => {
            let pipeline = Pipeline::<Doc, Cpu, Device>::on_devices(cpu, devices);
            run(setup, with(setup, cut(setup, pipeline)), source, world)
        }
    }
}

/// Starts a run in a scope, which is one call.
pub(super) fn start_scoped(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, devices, source, .. } = code;
    let setup = setup.clone();
    Whole::face(move |got| {
        let pipeline = Pipeline::<Doc, Cpu, Device>::on_devices(cpu, devices);
        gapless::scope(|scope| {
            let mut run = scope.run(with(&setup, cut(&setup, pipeline)), source);
            while take(run.next(), got, &world) {}
            got.accounts = Some(run.accounts());
            got.documents.extend(run.take_back().into_iter().map(|(_, document)| document));
        });
    })
}

/// What decides the cuts; with `per_batch` they are made before.
fn cut<A, M>(
    setup: &Setup,
    mut pipeline: Pipeline<Doc, Cpu, Device, A, M>,
) -> Pipeline<Doc, Cpu, Device, A, M>
where
    M: Mode<Doc>,
    Cpu: CpuStage<M::Item, Prepared = Prepared>,
{
    pipeline = pipeline.ramp(setup.ramp).last_batch(match setup.last {
        Last::Short => LastBatch::Short,
        Last::Drop => LastBatch::Drop,
        Last::Pad => LastBatch::Pad(copy),
    });
    if let Some(wait) = setup.max_wait {
        pipeline = pipeline.max_wait(wait);
    }
    if setup.chosen { pipeline.ramp(Auto) } else { pipeline }
}

fn copy(prepared: &Prepared) -> Prepared {
    let _user = super::world::UserCode::enter();
    if prepared.life.world().copies_panic.load(std::sync::atomic::Ordering::SeqCst) {
        super::world::panic_quietly("a copy");
    }
    Prepared { life: prepared.life.clone(), ..*prepared }
}

fn with<A, M>(
    setup: &Setup,
    mut pipeline: Pipeline<Doc, Cpu, Device, A, M>,
) -> Pipeline<Doc, Cpu, Device, A, M>
where
    M: Mode<Doc>,
    Cpu: CpuStage<M::Item, Prepared = Prepared>,
{
    pipeline = pipeline.batch_size(setup.batch_size).order(setup.order).on_failure(setup.policy);
    pipeline = set!(pipeline.device_on_workers(setup.on_workers), setup);
    if setup.chosen && setup.kind != Kind::Batches {
        pipeline = pipeline.batch_size(Auto.up_to(setup.batch_size)).ahead(Auto);
    }
    pipeline
}

fn run<A, M>(
    setup: &Setup,
    pipeline: Pipeline<Doc, Cpu, Device, A, M>,
    source: Source,
    world: Arc<World>,
) -> Box<dyn Face>
where
    M: Mode<Doc>,
    Cpu: CpuStage<M::Item, Prepared = Prepared>,
    A: After<M::Item, Out> + 'static,
    A::Delivered: OfRows,
{
    let run = if setup.sequential { pipeline.run_sequential(source) } else { pipeline.run(source) };
    faced(setup, run, world)
}

fn faced<O: OfRows>(setup: &Setup, run: Run<Doc, O>, world: Arc<World>) -> Box<dyn Face> {
    if setup.polled {
        Box::new(Polled { stream: run.into_stream(), executor: Executor::new(), world })
    } else {
        Box::new(Iterated { run, world })
    }
}

struct Iterated<O> {
    run: Run<Doc, O>,
    world: Arc<World>,
}

impl<O: OfRows> Face for Iterated<O> {
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

struct Polled<O> {
    stream: RunStream<Doc, O>,
    executor: Executor,
    world: Arc<World>,
}

impl<O: OfRows> Face for Polled<O> {
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

fn take<O: OfRows>(item: Option<Result<Batch<Doc, O>, Error>>, got: &mut Got, world: &World) -> bool {
    match item {
        None => return false,
        Some(Err(error)) => got.end(error, world),
        Some(Ok(batch)) => take_batch(batch, got, world),
    }
    true
}

fn take_batch<O: OfRows>(batch: Batch<Doc, O>, got: &mut Got, world: &World) {
    let places: Vec<u64> = batch.positions().iter().map(|position| position.get()).collect();
    if batch.len() != places.len() {
        world.wrong("a batch has as many documents with a result as it has places");
    }
    if batch.output().is_some() == places.is_empty() {
        world.wrong("there is an output where there are results");
    }
    let rows = batch.output().map(OfRows::places).unwrap_or_default();
    if !rows.starts_with(&places) {
        world.wrong(format_args!("the documents at {places:?} have the results of those at {rows:?}"));
    }
    got.taken.extend(batch.taken().iter().map(|failure| failure.position.get()));
    got.delivered.extend(places);
    let (documents, output, failures) = batch.into_parts();
    got.documents.extend(documents);
    for failure in failures {
        got.failure(failure.position.get(), failure.stage, failure.cause);
        got.documents.push(failure.document);
    }
    got.kept.push(Box::new(output));
}
