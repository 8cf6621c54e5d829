//! What a device chose among the variants of kernels, so that nothing is tried twice on it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use crate::gpu::plan::{Plan, Step, Variant};
use crate::kernel::Dispatch;

/// The variant of every step that was tried, by [`key`].
#[derive(Debug, Default)]
pub(super) struct Choices(Mutex<HashMap<u64, usize>>);

impl Choices {
    pub(super) fn get(&self, key: u64) -> Option<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied()
    }

    /// Whoever chose first decides, so that all programs on a device agree.
    pub(super) fn settle(&self, key: u64, variant: usize) -> usize {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(variant)
    }

    /// The plan with every choice that was made before.
    pub(super) fn apply(&self, mut plan: Plan) -> Plan {
        for step in plan.steps.iter_mut().filter(|step| step.variants.len() > 1) {
            step.chosen = self.get(key(step)).unwrap_or(step.chosen);
        }
        plan
    }
}

/// A number for all that the choice depends on: the variants, which hold the shapes.
pub(super) fn key(step: &Step) -> u64 {
    let mut hasher = DefaultHasher::new();
    step.parts.hash(&mut hasher);
    for Variant { dispatch, .. } in &step.variants {
        let Dispatch { kernel, source, access, constants, workgroups, params, needs } = dispatch;
        (kernel, source, access, workgroups, params, needs).hash(&mut hasher);
        constants.iter().for_each(|(name, value)| (name, value.to_bits()).hash(&mut hasher));
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_choice_stays() {
        let choices = Choices::default();
        assert_eq!((choices.get(7), choices.settle(7, 2), choices.settle(7, 1)), (None, 2, 2));
        assert_eq!((choices.get(7), choices.get(8)), (Some(2), None));
    }
}
