//! `embed` under faults: a program on the twins, over documents of which some cannot be embedded, prepared by
//! user code that misbehaves in every way that this face lets it.
//!
//! Its documents are the crate's own, so each is known by its id, and counted by being in its place.

mod laws;
mod plan;
mod user;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gapless::doc::{DocArray, Embed};
use gapless::gpu::Item;
use gapless::kernel::{GlobalAveragePool, Normalize, Spec};
use gapless::parallel::{Applied, ApplyError};
use gapless::{Auto, CpuStage, Gpu, Program, doc};

use self::laws::{Came, laws_hold};
pub(crate) use self::plan::Plan;
use self::plan::{Broken, Output};
use self::user::Prepares;
use crate::kit::laws::Base;
use crate::kit::world::{World, panic_quietly, said};
use crate::plan::Place;
use crate::run::{Seen, foreign_pool};

/// Runs one plan and holds it against the laws.
pub(crate) fn run_one(plan: Plan) -> Result<Seen, String> {
    let base = Base::now();
    let (plan, world) = (Arc::new(plan), World::new(false));
    let drive = || drive(&plan, &world);
    match plan.place {
        Place::Foreign { threads, caller_inside: true } => foreign_pool(threads).install(drive),
        _ => drive(),
    }?;
    world.disarm();
    base.is_back(&[&world])?;
    Ok(Seen::All)
}

fn drive(plan: &Arc<Plan>, world: &Arc<World>) -> Result<(), String> {
    let prepares = Prepares::new(plan, world);
    let (tampered, told) = (prepares.tampered(), Arc::<AtomicUsize>::default());
    let mut docs: DocArray = (0..plan.documents).map(|place| plan.document(place)).collect();
    let embed = docs.embed(program(plan));
    let ended = catch_unwind(AssertUnwindSafe(|| match plan.own_stage {
        true => embed_as(plan, embed.prepare(prepares), &told),
        false => embed_as(plan, embed, &told),
    }));
    let told = told.load(Ordering::SeqCst);
    let came = match ended {
        Ok(Ok(Applied { failures, run, .. })) => Came { failures, run: Some(run), error: None, told },
        Ok(Err(ApplyError { error, failures, run, .. })) => {
            Came { failures, run: Some(run), error: Some(error), told }
        }
        Err(_) if plan.progress_panics_at == Some(told) => {
            Came { failures: Vec::new(), run: None, error: None, told }
        }
        Err(payload) => return Err(format!("a panic came out of embed: {}", said(&*payload))),
    };
    let tampered = tampered.lock().map_err(|_| "a test panicked")?.clone();
    world.first_wrong().map_or(Ok(()), Err)?;
    laws_hold(plan, &docs, &tampered, &came)
}

/// The planes of an image of 4×4 pixels, and the mean of each.
fn program(plan: &Plan) -> Program {
    let mut net = Program::new(&Gpu::cpu());
    let mean = if plan.broken == Some(Broken::Program) {
        let floats = net.input("floats", Spec::floats(&[3, 4, 4])).expect("an input");
        net.add(GlobalAveragePool::new(), &[floats])
    } else {
        let photo = net.input("photo", Spec::bytes(&[4, 4, 3])).expect("an input");
        let planes = net.add(Normalize::new([0.0; 3], [1.0; 3]), &[photo]).expect("three channels");
        net.output("planes", planes).expect("an output");
        net.add(GlobalAveragePool::new(), &[planes])
    };
    net.output("mean", mean.expect("planes")).expect("an output");
    net
}

fn embed_as<C>(plan: &Plan, mut embed: Embed<'_, C>, told: &Arc<AtomicUsize>) -> Result<Applied, ApplyError>
where
    C: CpuStage<doc::Doc> + 'static,
    C::Prepared: Item,
{
    embed = embed.on_failure(plan.policy);
    embed = match plan.place {
        Place::Own(workers) => embed.workers(workers),
        Place::Foreign { threads, .. } => embed.pool(foreign_pool(threads)),
    };
    embed = match plan.chosen {
        true => embed.batch_size(Auto.up_to(plan.batch_size)).ahead(Auto),
        false => embed.batch_size(plan.batch_size).ahead(plan.ahead),
    };
    embed = match plan.broken {
        Some(Broken::BatchSize) => embed.batch_size(0),
        Some(Broken::Ahead) => embed.ahead(0),
        Some(Broken::Program) | None => embed,
    };
    embed = match plan.output {
        Output::First => embed,
        Output::Mean => embed.output("mean"),
        Output::Missing => embed.output("logits"),
    };
    if let Some(deadline) = plan.deadline {
        embed = embed.deadline(deadline);
    }
    if let Some(grace) = plan.grace {
        embed = embed.grace(grace);
    }
    let (panics_at, told) = (plan.progress_panics_at, told.clone());
    embed
        .progress(move |_| {
            if panics_at == Some(told.fetch_add(1, Ordering::SeqCst) + 1) {
                panic_quietly("progress");
            }
        })
        .run()
}
