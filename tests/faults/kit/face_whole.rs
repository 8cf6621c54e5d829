//! Faces that return when all is over: `apply`, `apply_batch`, and the `Vectorizer`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gapless::parallel::{Applied, Apply, ApplyError, Ended, Failed, Vectorizer, apply, apply_batch};
use gapless::{Accounts, CpuStage};

use super::face::{Code, Face, Got, Kind, Setup};
use super::stages::{Bag, Cpu, Prepared};
use super::world::{Doc, World, panic_quietly, said};

type Call = Box<dyn FnOnce(&mut Got) + Send>;

/// A run that is one call.
pub(super) struct Whole(Option<Call>);

impl Whole {
    pub(super) fn face(call: impl FnOnce(&mut Got) + Send + 'static) -> Box<dyn Face> {
        Box::new(Self(Some(Box::new(call))))
    }
}

impl Face for Whole {
    fn next(&mut self, got: &mut Got) -> bool {
        let Some(call) = self.0.take() else { return false };
        call(got);
        true
    }

    fn stop(&mut self) -> bool {
        false
    }

    fn take_back(&mut self) -> Option<Vec<(u64, Doc)>> {
        Some(Vec::new())
    }

    fn accounts(&self) -> Option<Accounts> {
        None
    }

    fn left_behind(&self) -> Vec<String> {
        Vec::new()
    }
}

pub(super) fn apply_face(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, in_place, .. } = code;
    let setup = setup.clone();
    Whole::face(move |got| {
        drop(source);
        let mut documents: Vec<Doc> = (0..in_place).map(|_| world.document(false)).collect();
        let called = catch_unwind(AssertUnwindSafe(|| match setup.kind {
            Kind::Apply => work(apply::<Doc, _>(&mut documents, cpu), &setup),
            _ => work(apply_batch::<Doc, Bag, _>(&mut documents, setup.batch_size, cpu), &setup),
        }));
        got.documents = documents;
        note_call(called, &setup, got, &world);
    })
}

/// Notes how a call has ended.
pub(super) fn note_call(
    called: std::thread::Result<Result<Applied, ApplyError>>,
    setup: &Setup,
    got: &mut Got,
    world: &World,
) {
    match called {
        Ok(Ok(Applied { failures, run, .. })) => note(failures, &run, got),
        Ok(Err(ApplyError { error, failures, run, .. })) => {
            note(failures, &run, got);
            got.end(error, world);
        }
        Err(_) if setup.progress_panics => {}
        Err(payload) => world.wrong(format_args!("a panic came out of the call: {}", said(&*payload))),
    }
}

fn note(failures: Vec<gapless::Failure<()>>, run: &Ended, got: &mut Got) {
    got.accounts = Some(run.accounts());
    for failure in failures {
        got.failure(failure.position.get(), failure.stage, failure.cause);
    }
}

fn work<T>(apply: Apply<'_, Doc, T, Cpu>, setup: &Setup) -> Result<Applied, ApplyError>
where
    T: Send + 'static,
    Cpu: CpuStage<T, Prepared = Prepared>,
{
    let mut apply = set_but_grace!(apply.on_failure(setup.policy), setup);
    if setup.progress_panics {
        apply = apply.progress(|_| panic_quietly("progress"));
    }
    match setup.grace {
        Some(grace) => apply.grace(grace).run(),
        None => apply.run(),
    }
}

pub(super) fn vectorizer(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, .. } = code;
    let setup = setup.clone();
    Whole::face(move |got| {
        got.results_only = true;
        let vectorizer = Vectorizer::new(cpu);
        let vectorizer = set_but_grace!(vectorizer.on_failure(setup.policy), setup);
        macro_rules! process {
            ($vectorizer:expr) => {{
                let mut vectorizer = $vectorizer;
                note_results(vectorizer.process::<Doc, _>(source), got, &world);
                got.accounts = vectorizer.last().map(Ended::accounts);
                // Its stage is the vectorizer's, which drops it as any value is dropped.
                drop(catch_unwind(AssertUnwindSafe(|| drop(vectorizer))));
            }};
        }
        match setup.grace {
            Some(grace) => process!(vectorizer.grace(grace)),
            None => process!(vectorizer),
        }
    })
}

fn note_results(results: Result<Vec<Prepared>, Failed<Doc>>, got: &mut Got, world: &World) {
    match results {
        Ok(results) => {
            got.delivered.extend(results.iter().map(|result| result.first));
            got.kept.push(Box::new(results));
        }
        Err(Failed::Item(failure)) => {
            got.failure(failure.position.get(), failure.stage, failure.cause);
            got.documents.push(failure.document);
        }
        Err(Failed::Run(error)) => got.end(error, world),
    }
}
