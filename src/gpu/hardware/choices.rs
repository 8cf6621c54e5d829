//! What is known of a device: the variants of kernels that it chose, so that nothing is tried twice on it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cache::Cache;
use crate::gpu::plan::{Fnv, Plan, Step};

/// What is known of every step that was tried.
#[derive(Debug, Default)]
pub(super) struct Choices {
    known: Mutex<Known>,
    cache: Option<Cache>,
}

/// All of it, by the keys of steps, of programs and of kernels.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Known {
    /// The variant of a step for batches of about so many items.
    pub(super) chosen: BTreeMap<(u64, u64), usize>,
    /// Variants of a step that are never run again, and why.
    pub(super) left_out: BTreeMap<u64, Vec<(usize, String)>>,
    /// Kernels that gave what their twins give.
    pub(super) proven: BTreeSet<u64>,
    /// How long an item of a program takes.
    pub(super) paces: BTreeMap<u64, Duration>,
}

impl Known {
    /// What another knows besides. Whoever chose first decides.
    fn join(&mut self, other: Self) {
        other.chosen.into_iter().for_each(|(key, variant)| {
            self.chosen.entry(key).or_insert(variant);
        });
        for (key, variants) in other.left_out {
            variants.into_iter().for_each(|(variant, reason)| self.leave_out(key, variant, reason));
        }
        self.proven.extend(other.proven);
        other.paces.into_iter().for_each(|(key, pace)| {
            self.paces.entry(key).or_insert(pace);
        });
    }

    pub(super) fn leave_out(&mut self, key: u64, variant: usize, reason: String) {
        let left_out = self.left_out.entry(key).or_default();
        if left_out.iter().all(|(other, _)| *other != variant) {
            left_out.push((variant, reason));
        }
    }
}

impl Choices {
    /// With what was chosen in other processes on a device of which this is known.
    pub(super) fn of(device: &str) -> Self {
        let cache = Cache::of(device);
        let known = cache.as_ref().map(Cache::read).unwrap_or_default();
        Self { known: Mutex::new(known), cache }
    }

    /// Keeps what was chosen for other processes, with what they chose since.
    pub(super) fn keep(&self) {
        let Some(cache) = &self.cache else { return };
        let mut known = self.lock();
        known.join(cache.read());
        cache.write(&known);
    }

    /// The variant of a step for batches of so many items, if there is nothing to try.
    pub(super) fn of_step(&self, step: &Step, rows: usize) -> Option<usize> {
        let there = |chosen: &usize| *chosen < step.variants.len();
        let known = || self.lock().chosen.get(&(key(step), about(rows))).copied();
        if step.variants.len() == 1 { Some(0) } else { known().filter(there) }
    }

    /// Whoever chose first decides, so that all programs on a device agree.
    pub(super) fn settle(&self, step: &Step, rows: usize, variant: usize) -> usize {
        *self.lock().chosen.entry((key(step), about(rows))).or_insert(variant)
    }

    /// The variant of a step that does what two do, or that they are faster; if there is nothing to try.
    pub(super) fn joined(&self, both: &Step, rows: usize) -> Option<Option<usize>> {
        let known = self.lock().chosen.get(&(joined_key(both), about(rows))).copied()?;
        Some(known.checked_sub(1)).filter(|variant| variant.is_none_or(|one| one < both.variants.len()))
    }

    pub(super) fn settle_joined(&self, both: &Step, rows: usize, faster: Option<usize>) -> Option<usize> {
        let variant = faster.map_or(0, |variant| variant + 1);
        self.lock().chosen.entry((joined_key(both), about(rows))).or_insert(variant).checked_sub(1)
    }

    /// Has a variant never run again.
    pub(super) fn leave_out(&self, step: &Step, variant: usize, reason: String) {
        self.lock().leave_out(key(step), variant, reason);
    }

    pub(super) fn is_left_out(&self, step: &Step, variant: usize) -> bool {
        let known = self.lock();
        known.left_out.get(&key(step)).is_some_and(|all| all.iter().any(|(other, _)| *other == variant))
    }

    /// How many variants are left out of all steps.
    pub(super) fn all_left_out(&self) -> usize {
        self.lock().left_out.values().map(Vec::len).sum()
    }

    pub(super) fn is_proven(&self, kernel: u64) -> bool {
        self.lock().proven.contains(&kernel)
    }

    pub(super) fn prove(&self, kernel: u64) {
        self.lock().proven.insert(kernel);
    }

    /// How long an item of a program takes, where it was measured.
    pub(super) fn pace(&self, program: u64) -> Option<Duration> {
        self.lock().paces.get(&program).copied()
    }

    pub(super) fn set_pace(&self, program: u64, pace: Duration) {
        self.lock().paces.insert(program, pace);
    }

    /// Makes in a plan every choice that was made before for batches of so many items.
    pub(super) fn apply(&self, plan: &mut Plan, rows: usize) {
        for step in &mut plan.steps {
            step.chosen = self.of_step(step, rows).unwrap_or(step.chosen);
            step.left_out = self.left_out(step);
            if let Some(instead) = &step.instead {
                let (variant, left_out) = (self.joined(&instead.step, rows), self.left_out(&instead.step));
                step.decide(variant.flatten(), left_out);
            }
        }
        plan.settle();
    }

    /// The variants of a step that are left out, and why.
    pub(super) fn left_out(&self, step: &Step) -> Vec<String> {
        let known = self.lock();
        let named = |(index, reason): &(usize, String)| {
            let variant = step.variants.get(*index).map_or("", |variant| &variant.name);
            format!("{} of {} is left out: {reason}", variant, step.name)
        };
        known.left_out.get(&key(step)).map_or(Vec::new(), |all| all.iter().map(named).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number for all that the choice depends on: the variants, which hold the shapes.
fn key(step: &Step) -> u64 {
    keys(step.parts, &mut step.variants.iter().map(|variant| variant.key))
}

/// Another number for whether a step is done in the place of two: the first of the two is part of its sources.
fn joined_key(both: &Step) -> u64 {
    keys(0, &mut both.variants.iter().map(|variant| variant.key))
}

/// A number for all that a program runs.
pub(super) fn program_key(plan: &Plan) -> u64 {
    keys(0, &mut plan.steps.iter().map(|step| step.variant().key))
}

fn keys(first: u32, others: &mut dyn Iterator<Item = u64>) -> u64 {
    let mut hasher = Fnv::default();
    first.hash(&mut hasher);
    others.for_each(|key| key.hash(&mut hasher));
    hasher.finish()
}

/// Batches of about as many items share what was chosen: a trial for each size would be one whenever a run ends with
/// a smaller one.
pub(super) fn about(rows: usize) -> u64 {
    rows.next_power_of_two() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_once_is_left_out_for_its_first_reason() {
        let mut known = Known::default();
        known.leave_out(7, 1, "it is off".into());
        known.leave_out(7, 1, "it is slow".into());
        assert_eq!(known.left_out[&7], [(1, "it is off".to_owned())]);
    }

    #[test]
    fn the_first_choice_stays_and_what_another_process_knows_besides_is_added() {
        let with = |chosen: &[((u64, u64), usize)]| Known {
            chosen: chosen.iter().copied().collect(),
            ..Known::default()
        };
        let mut known = with(&[((7, 1), 2)]);
        known.join(with(&[((7, 1), 1), ((7, 64), 1)]));
        assert_eq!(known, with(&[((7, 1), 2), ((7, 64), 1)]));
    }

    #[test]
    fn batches_of_about_one_size_share_what_was_chosen() {
        assert_eq!([1, 2, 3, 4, 33, 64].map(about), [1, 2, 4, 4, 64, 64]);
    }
}
