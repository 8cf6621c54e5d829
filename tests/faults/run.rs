//! One run: started, driven as its caller wishes, ended, and held against the laws.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::cpu::{Hostile, Liar, happen};
use gapless::Accounts;

use crate::device::Fragile;
use crate::ends::{causes_were_planted, end_is_exact, end_was_planted};
use crate::kit::face::{Code, Face, Got, Setup, start};
use crate::kit::laws::{Base, Ended, ensure};
use crate::kit::stages::{Cpu, Device, Part, Source, Then};
use crate::kit::world::{Gathered, What, World, panic_quietly, said};
use crate::plan::{Hint, Place, Plan, Wish};
use crate::random::Random;

/// Whether a run could be held against all laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    All,
    /// The feeder was left inside the source: the system may hold it there for longer than a run waits.
    FeederLeft,
}

/// Pools that belong to nobody's run, of one, two and three threads.
pub(crate) fn foreign_pool(threads: usize) -> &'static Arc<ThreadPool> {
    static POOLS: [OnceLock<Arc<ThreadPool>>; 4] = [const { OnceLock::new() }; 4];
    POOLS[threads].get_or_init(|| {
        let name = |rank| format!("foreign-{rank}");
        Arc::new(ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build().expect("threads"))
    })
}

/// Runs one plan and holds it against the laws.
pub(crate) fn run_one(plan: Plan) -> Result<Seen, String> {
    let base = Base::now();
    let plan = Arc::new(plan);
    let mut setup = plan.setup();
    let inside = match plan.place {
        Place::Own(_) => None,
        Place::Foreign { threads, caller_inside } => {
            let pool = foreign_pool(threads);
            setup.pool = Some(pool.clone());
            caller_inside.then_some(pool)
        }
    };
    let world = world(&plan);
    let drive = || {
        let mut got = Got::default();
        let driven = catch_unwind(AssertUnwindSafe(|| drive(&plan, &setup, &world, &mut got)));
        // What came out is the test's, and so is its drop.
        world.disarm();
        drop(got);
        driven.unwrap_or_else(|payload| came_out(&*payload, &plan, &world))
    };
    let seen = match inside {
        Some(pool) => pool.install(drive),
        None => drive(),
    }?;
    match seen {
        Seen::All => base.is_back(&[&world])?,
        Seen::FeederLeft => drop(base.is_back(&[&world])),
    }
    Ok(seen)
}

fn world(plan: &Arc<Plan>) -> Arc<World> {
    let world = World::new(plan.kind.in_bags());
    world.copies_panic.store(plan.copies_panic, Ordering::SeqCst);
    let told = plan.clone();
    let gathered: Gathered = Box::new(move |documents| {
        let first = documents.first().map(|document| document.id);
        let Some(crate::kit::world::Id::Source(first)) = first else { return };
        if told.fault(8, first, told.rates.gather).is_none() {
            return;
        }
        // What is taken here is its own, and so is the panic.
        let taken: Vec<_> = std::mem::take(documents).into_iter().map(|document| document.taken()).collect();
        taken.into_iter().for_each(|document| {
            drop(catch_unwind(AssertUnwindSafe(|| drop(document))));
        });
        if first % 2 == 0 {
            panic_quietly("a collection");
        }
    });
    drop(world.gathered.set(gathered));
    world
}

fn code(plan: &Arc<Plan>, world: &Arc<World>, dead: &Arc<AtomicUsize>) -> Code {
    let hostile = Hostile {
        plan: plan.clone(),
        world: world.clone(),
        interrupted: Default::default(),
        stash: Default::default(),
    };
    let device = |rank: usize| Device {
        code: Box::new(Fragile {
            plan: plan.clone(),
            world: world.clone(),
            random: Random(plan.seed ^ (rank as u64) << 32),
            in_flight: 0,
            life: 0,
            in_a_row: 0,
            dead: dead.clone(),
            counted: false,
        }),
        _life: world.life(What::Device, plan.bombs.device),
    };
    Code {
        world: world.clone(),
        cpu: Cpu { code: Arc::new(hostile), _life: world.life(What::Cpu, plan.bombs.cpu) },
        devices: (0..plan.given_devices()).map(device).collect(),
        then: then(plan, world),
        source: Source {
            code: Box::new(Liar { plan: plan.clone(), world: world.clone(), ended: false }),
            _life: world.life(What::Source, plan.bombs.source && !plan.kind.is_in_place()),
        },
        in_place: plan.documents,
    }
}

fn then(plan: &Arc<Plan>, world: &Arc<World>) -> Then {
    let (plan, world) = (plan.clone(), world.clone());
    Box::new(move |_, row| {
        let _user = crate::kit::world::UserCode::enter();
        match plan.then_fault(row.place) {
            Some(fault) => happen(fault, &plan, &world, row.place),
            None => {
                let bomb = plan.bomb(5, row.place, plan.bombs.part);
                Ok(Part { place: row.place, _life: world.life(What::Part, bomb) })
            }
        }
    })
}

fn drive(plan: &Arc<Plan>, setup: &Setup, world: &Arc<World>, got: &mut Got) -> Result<Seen, String> {
    let dead = Arc::default();
    let mut face = start(setup, code(plan, world, &dead));
    let most = match plan.wish {
        Wish::Finish => usize::MAX,
        Wish::StopAfter(items) | Wish::DropAfter(items) => items.max(usize::from(plan.kind.is_one_call())),
    };
    let mut items = 0;
    while items < most && face.next(got) {
        items += 1;
    }
    if matches!(plan.wish, Wish::DropAfter(_)) || items == most && setup.polled {
        drop(face);
        return world.first_wrong().map_or(Ok(Seen::All), Err);
    }
    end(plan, setup, world, face, got, dead.load(Ordering::SeqCst))
}

/// A panic of the size hint may come out of the start of a run, before anything is pulled; no other may.
fn came_out(payload: &(dyn Any + Send), plan: &Plan, world: &World) -> Result<Seen, String> {
    if plan.source.hint == Hint::Panics && said(payload).contains("size_hint") && world.given() == 0 {
        return Ok(Seen::All);
    }
    Err(format!("a panic came out of the run: {} ({:?})", said(payload), plan.kind))
}

fn end(
    plan: &Plan,
    setup: &Setup,
    world: &Arc<World>,
    mut face: Box<dyn Face>,
    got: &mut Got,
    dead: usize,
) -> Result<Seen, String> {
    face.stop();
    // What was there already may still come out of some faces.
    let ended = got.error.is_some();
    while face.next(got) {}
    ensure!(!ended || got.error.is_some(), "it stays ended");
    let accounts = face.accounts().or(got.accounts);
    // Lists are lent and never pulled to their end, and batches of other faces count as one.
    let counts_documents = !plan.kind.is_in_place() && !plan.kind.in_bags();
    let pulled_less = |accounts: Accounts| accounts.pulled < world.given() && accounts.balance();
    if counts_documents && accounts.is_some_and(pulled_less) {
        world.disarm();
        return Ok(Seen::FeederLeft);
    }
    got.left = face.take_back();
    ensure!(
        face.accounts().or(got.accounts) == accounts,
        "law 2: what is taken back changes the accounts ({:?})",
        plan.kind
    );
    ensure!(face.left_behind().is_empty(), "left behind: {:?}", face.left_behind());
    Ended { setup, world, got, accounts, stuck: false }.check()?;
    causes_were_planted(got)?;
    end_was_planted(plan, setup, got.error.as_ref(), dead)?;
    end_is_exact(plan, setup, got)?;
    drop(face);
    Ok(Seen::All)
}
