//! What a device chose among the variants of kernels, so that nothing is tried twice on it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::cache::Cache;
use crate::gpu::plan::{Plan, Step, Variant};
use crate::kernel::Dispatch;

/// What is known of every step that was tried, by [`key`].
#[derive(Debug, Default)]
pub(super) struct Choices {
    known: Mutex<HashMap<u64, Choice>>,
    cache: Option<Cache>,
}

#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) variant: Option<usize>,
    /// Variants that are never run again, and why.
    pub(super) left_out: Vec<(usize, String)>,
}

impl Choices {
    /// With what was chosen in other processes on a device of which this is known.
    pub(super) fn of(device: &str) -> Self {
        let cache = Cache::of(device);
        let known = cache.as_ref().map(Cache::read).unwrap_or_default();
        Self { known: Mutex::new(known.into_iter().collect()), cache }
    }

    /// Keeps what was chosen for other processes, with what they chose since.
    pub(super) fn keep(&self) {
        let Some(cache) = &self.cache else { return };
        let mut known = self.lock();
        for (key, choice) in cache.read() {
            known.entry(key).or_insert(choice);
        }
        cache.write(known.iter().map(|(key, choice)| (*key, choice)));
    }

    pub(super) fn get(&self, key: u64) -> Option<usize> {
        self.lock().get(&key)?.variant
    }

    /// Whoever chose first decides, so that all programs on a device agree.
    pub(super) fn settle(&self, key: u64, variant: usize) -> usize {
        *self.lock().entry(key).or_default().variant.get_or_insert(variant)
    }

    /// Has a variant never run again.
    pub(super) fn leave_out(&self, key: u64, variant: usize, reason: String) {
        let mut choices = self.lock();
        let left_out = &mut choices.entry(key).or_default().left_out;
        if left_out.iter().all(|(other, _)| *other != variant) {
            left_out.push((variant, reason));
        }
    }

    pub(super) fn is_left_out(&self, key: u64, variant: usize) -> bool {
        let choices = self.lock();
        choices.get(&key).is_some_and(|choice| choice.left_out.iter().any(|(other, _)| *other == variant))
    }

    /// How many variants are left out of all steps.
    pub(super) fn all_left_out(&self) -> usize {
        self.lock().values().map(|choice| choice.left_out.len()).sum()
    }

    /// The variants of a step that are left out, and why.
    pub(super) fn left_out(&self, step: &Step) -> Vec<String> {
        let choices = self.lock();
        let left_out = choices.get(&key(step)).map_or(&[][..], |choice| &choice.left_out);
        let named = |(index, reason): &(usize, String)| {
            let variant = step.variants.get(*index).map_or("", |variant| &variant.name);
            format!("{} of {} is left out: {reason}", variant, step.name)
        };
        left_out.iter().map(named).collect()
    }

    /// The plan with every choice that was made before.
    pub(super) fn apply(&self, mut plan: Plan) -> Plan {
        for step in plan.steps.iter_mut().filter(|step| step.variants.len() > 1) {
            step.chosen =
                self.get(key(step)).filter(|chosen| *chosen < step.variants.len()).unwrap_or(step.chosen);
            step.left_out = self.left_out(step);
        }
        plan
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Choice>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn what_is_left_out_once_is_left_out_for_its_first_reason() {
        let choices = Choices::default();
        choices.leave_out(7, 1, "it is off".into());
        choices.leave_out(7, 1, "it is slow".into());
        assert!(choices.is_left_out(7, 1) && !choices.is_left_out(7, 0) && !choices.is_left_out(8, 1));
        assert_eq!((choices.all_left_out(), choices.get(7)), (1, None));
    }

    #[test]
    fn the_first_choice_stays() {
        let choices = Choices::default();
        assert_eq!((choices.get(7), choices.settle(7, 2), choices.settle(7, 1)), (None, 2, 2));
        assert_eq!((choices.get(7), choices.get(8)), (Some(2), None));
    }
}
