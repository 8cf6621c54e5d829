//! Faces that return when all is over: `apply`, `apply_batch`, and the `Vectorizer`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use gapless::parallel::{Applied, Apply, ApplyError, Failed, Vectorizer, apply, apply_batch};
use gapless::{Accounts, CpuStage};

use super::face::{Code, Face, Got, Kind, Setup};
use super::stages::{Bag, Cpu, Prepared, Source};
use super::world::{Doc, World, panic_quietly, said};

type Call = Box<dyn FnOnce(&mut Got) + Send>;

/// A run that is one call.
struct Whole(Option<Call>);

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

/// What an apply needs of its setup.
struct Asked {
    batch_size: usize,
    workers: usize,
    pool: Option<Arc<rayon::ThreadPool>>,
    ahead: Option<usize>,
    policy: gapless::OnFailure,
    progress_panics: bool,
}

pub(super) fn apply_face(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, in_place, .. } = code;
    let asked = Asked {
        batch_size: setup.batch_size,
        workers: setup.workers,
        pool: setup.pool.clone(),
        ahead: setup.ahead,
        policy: setup.policy,
        progress_panics: setup.progress_panics,
    };
    let kind = setup.kind;
    Box::new(Whole(Some(Box::new(move |got| {
        drop(source);
        let mut documents: Vec<Doc> = (0..in_place).map(|_| world.document(false)).collect();
        let called = catch_unwind(AssertUnwindSafe(|| match kind {
            Kind::Apply => work(apply::<Doc, _>(&mut documents, cpu), &asked),
            _ => work(apply_batch::<Doc, Bag, _>(&mut documents, asked.batch_size, cpu), &asked),
        }));
        got.documents = documents;
        match called {
            Ok(Ok(applied)) => note(applied.failures, got),
            Ok(Err(ApplyError { error, failures, .. })) => {
                note(failures, got);
                got.end(error, &world);
            }
            Err(_) if asked.progress_panics => {}
            Err(payload) => world.wrong(format_args!("a panic came out of apply: {}", said(&*payload))),
        }
    }))))
}

fn note(failures: Vec<gapless::Failure<()>>, got: &mut Got) {
    for failure in failures {
        got.failure(failure.position.get(), failure.stage, failure.cause);
    }
}

fn work<T>(mut apply: Apply<'_, Doc, T, Cpu>, asked: &Asked) -> Result<Applied, ApplyError>
where
    T: Send + 'static,
    Cpu: CpuStage<T, Prepared = Prepared>,
{
    apply = apply.on_failure(asked.policy);
    apply = match &asked.pool {
        Some(pool) => apply.pool(pool),
        None => apply.workers(asked.workers),
    };
    if let Some(ahead) = asked.ahead {
        apply = apply.ahead(ahead);
    }
    if asked.progress_panics {
        apply = apply.progress(|_| panic_quietly("progress"));
    }
    apply.run()
}

pub(super) fn vectorizer(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, .. } = code;
    let workers = setup.workers;
    Box::new(Whole(Some(Box::new(move |got| {
        got.results_only = true;
        let mut vectorizer = Vectorizer::new(cpu).workers(workers);
        process(&mut vectorizer, source, got, &world);
        // Its stage is the vectorizer's, which drops it as any value is dropped.
        drop(catch_unwind(AssertUnwindSafe(|| drop(vectorizer))));
    }))))
}

fn process(vectorizer: &mut Vectorizer<Cpu>, source: Source, got: &mut Got, world: &Arc<World>) {
    match vectorizer.process::<Doc, _>(source) {
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
