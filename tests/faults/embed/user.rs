//! A CPU stage and prepared documents that misbehave as their plan says.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use gapless::doc::Doc;
use gapless::gpu::Item;
use gapless::kernel::{Element, Values};
use gapless::{Cause, CpuStage};
use ndarray::{ArrayD, ArrayView1};

use super::plan::{Lie, Plan, Tamper};
use crate::cpu::trouble;
use crate::kit::process::HANGS;
use crate::kit::world::{Life, What, World, panic_quietly};

/// Longest time that user code blocks where nobody may interrupt it.
const MOMENT: Duration = Duration::from_millis(1);

/// Places of documents that a stage has put another in place of.
pub(super) type Tampered = Arc<Mutex<BTreeSet<u64>>>;

pub(super) struct Prepares {
    plan: Arc<Plan>,
    world: Arc<World>,
    interrupted: Mutex<bool>,
    changed: Condvar,
    tampered: Tampered,
    _life: Life,
}

impl Prepares {
    pub(super) fn new(plan: &Arc<Plan>, world: &Arc<World>) -> Self {
        Self {
            plan: plan.clone(),
            world: world.clone(),
            interrupted: Mutex::new(false),
            changed: Condvar::new(),
            tampered: Tampered::default(),
            _life: world.life(What::Cpu, false),
        }
    }

    pub(super) fn tampered(&self) -> Tampered {
        self.tampered.clone()
    }

    fn block(&self) {
        let patience = if self.plan.is_ended_by_others() { HANGS } else { MOMENT };
        let state = self.interrupted.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, patience, |interrupted| !*interrupted);
        let in_vain = waited.is_ok_and(|(_, waited)| waited.timed_out());
        if in_vain && self.plan.is_ended_by_others() {
            self.world.wrong("nobody interrupted the stage");
        }
    }

    fn tamper(&self, document: &mut Doc, place: u64) {
        match self.plan.tamper(place) {
            None => {}
            Some(Tamper::TakesContent) => drop(document.take_content()),
            Some(Tamper::Swaps) => {
                *document = Doc::new();
                document.id = format!("{place}'");
                self.tampered.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
            }
        }
    }
}

impl CpuStage<Doc> for Prepares {
    type Prepared = Pixels;

    fn prepare(&self, document: &mut Doc) -> Result<Pixels, Cause> {
        let place = document.id.parse()?;
        if self.plan.blocks(place) {
            self.block();
        }
        self.tamper(document, place);
        if let Some(fault) = self.plan.prepare_fault(place) {
            return trouble(fault, self.plan.bomb(0, place), &self.world);
        }
        Ok(Pixels {
            array: self.plan.pixels(place),
            place,
            lie: self.plan.lie(place),
            asked: Cell::new(0),
            _life: self.world.life(What::Prepared, self.plan.bomb(1, place)),
        })
    }

    fn recycle(&self, used: Pixels) {
        let panics = self.plan.recycle_panics(used.place);
        drop(used);
        if panics {
            panic_quietly("recycle");
        }
    }

    fn interrupt(&self) {
        *self.interrupted.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
        if self.plan.interrupt_panics {
            panic_quietly("interrupt");
        }
    }
}

/// A prepared document that may lie about its array.
pub(super) struct Pixels {
    array: ArrayD<u8>,
    place: u64,
    /// How, and from which time on that it is asked.
    lie: Option<(Lie, u32)>,
    asked: Cell<u32>,
    _life: Life,
}

impl Pixels {
    fn lies(&self) -> Option<Lie> {
        self.lie.filter(|(_, from)| self.asked.get() >= *from).map(|(lie, _)| lie)
    }
}

impl Item for Pixels {
    const ELEMENT: Option<Element> = Some(Element::U8);

    fn arrays(&self) -> usize {
        match self.lies() {
            Some(Lie::Count(arrays)) => arrays,
            _ => 1,
        }
    }

    fn array(&self, _index: usize) -> Values<'_> {
        let lies = self.lies();
        self.asked.set(self.asked.get() + 1);
        match lies {
            Some(Lie::Panic) => panic_quietly("an array"),
            Some(Lie::Shape) => {
                let flat = self.array.as_slice().expect("it is in standard layout");
                Values::U8(ArrayView1::from(flat).into_dyn())
            }
            Some(Lie::Count(_)) | None => Values::U8(self.array.view()),
        }
    }
}
