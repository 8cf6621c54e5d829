//! Which variants of kernels a program may run.

use std::sync::Arc;

use super::facts::Facts;
use super::graph::setting;
use super::plan::{Plan, Step, Variant};
use super::variants::Variants;
use crate::error::Error;
use crate::kernel::Precision;
use crate::stage::DeviceKind;

/// Memory of a workgroup above which a variant is one that copies tiles of its inputs there.
const TILES: u32 = 4096;

/// The word for variants that compute what another kernel gives.
const JOINED: &str = "joined";

/// What the settings of a program allow.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed {
    pub(super) precision: Precision,
    pub(super) forced: Vec<String>,
    pub(super) forbidden: Vec<String>,
    pub(super) pinned: Option<Arc<Variants>>,
}

impl Allowed {
    /// Leaves out of a plan what is not allowed, and what is not worth a try on a device of this kind. The
    /// last variant of a kernel always stays.
    pub(super) fn apply(&self, plan: &mut Plan, device: &Facts) -> Result<(), Error> {
        if let Some(pinned) = &self.pinned {
            return pinned.force(device, plan);
        }
        let kind = device.info.kind;
        for step in &mut plan.steps {
            keep(step, |variant| variant.dispatch.needs.precision <= self.precision);
        }
        // The twins run none of them, so that no word can be wrong.
        if kind == DeviceKind::Twin {
            return Ok(());
        }
        if let Some(word) = self.forced.iter().find(|word| !plan.variants().any(|variant| is(variant, word)))
        {
            return Err(setting("Program::force_variants", unknown(word, plan)));
        }
        for step in &mut plan.steps {
            self.forbidden.iter().for_each(|word| keep(step, |variant| !is(variant, word)));
            self.forced.iter().for_each(|word| keep(step, |variant| is(variant, word)));
            // There such memory is no nearer than any other: the copy costs and gains nothing. And what one kernel wrote
            // is in the cache for the next one, so to compute it where it is read gains nothing either.
            if kind == DeviceKind::Software {
                keep(step, |variant| variant.dispatch.needs.workgroup_bytes <= TILES);
                let named = |variant: &Variant| self.forced.iter().any(|word| is(variant, word));
                keep(step, |variant| named(variant) || !is(variant, JOINED));
            }
        }
        plan.settle();
        Ok(())
    }
}

/// Keeps those that `wanted` takes, if it takes any. Where all that are left do two steps in one, that is done.
fn keep(step: &mut Step, wanted: impl Fn(&Variant) -> bool) {
    let takes = |step: &Step| step.variants.iter().any(&wanted);
    let own = step.instead.as_ref().is_none_or(|instead| !instead.taken) && takes(step);
    match step.instead.take_if(|instead| own || takes(&instead.step)) {
        Some(mut instead) if takes(&instead.step) => {
            instead.step.variants.retain(&wanted);
            instead.taken = instead.taken || !own;
            step.instead = Some(instead);
        }
        _ => {}
    }
    if own {
        step.variants.retain(wanted);
    }
}

/// Whether a word means this variant: its name, its shader, or one of its needs.
fn is(variant: &Variant, word: &str) -> bool {
    variant.name == word || variant.name.split('+').any(|part| part == word)
}

fn unknown(word: &str, plan: &Plan) -> String {
    let mut names: Vec<&str> = plan.variants().map(|variant| &*variant.name).collect();
    names.sort_unstable();
    names.dedup();
    format!("no kernel has a variant {word} on this device; there is: {}", names.join(", "))
}
