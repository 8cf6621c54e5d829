//! The closed form: one device, one batch deep, nothing but the two halves.
//!
//! # Derivation
//! Let `e(i)` be the items up to the end of batch `i`, `n(i)` its items and `g(i)` its time on the device;
//! `W` workers, `c` an item, `T` tokens. Were there tokens without end, item `j` would be prepared at
//! `c·(⌊j/W⌋ + 1)`, since workers go round, and batch `i` cut at `A(i) = c·⌈e(i)/W⌉`. The device ends it at
//! `R(i) = max(A(i), R(i-1)) + g(i)`, so the last one at
//!
//! `R = max over k of ( A(k) + g(k) + g(k+1) + … + g(last) )`
//!
//! Full batches repeat: `⌈e(k)/W⌉` grows by the same number every `p = W / gcd(batch, W)` batches. So each of
//! these `p` series goes straight up or straight down, and its largest member is among the first or the last.
//!
//! Tokens add one kind of wait: item `T + e(i-1)` and those behind it start at `R(i)` at the earliest. This
//! changes nothing in two cases, with `B` the batch size.
//!
//! - **The device is slower**: `c·n ≤ W·g(n)` for every size `n` of a full batch or of the ramp, and
//!   `T ≥ 2B + W`. A way through such a wait, from `R(i)` to batch `m`, costs
//!   `c·⌈(n(i) + … + n(m) - T)/W⌉ + g(m)`; as `n(i) + n(m) - T ≤ -W` this is at most
//!   `c·(n(i+1) + … + n(m-1))/W + g(m) ≤ g(i+1) + … + g(m)`, what the device alone takes.
//! - **The workers are slower**: `c·n ≥ W·g(n)` for the same sizes, and `T ≥ 2B + 2W - 2`. Then
//!   `R(i) = A(k) + g(k) + … + g(i) ≤ c/W·(e(k) + W - 1 + n(k) + … + n(i)) ≤ c/W·(e(i) + n(k) + W - 1)`, which is
//!   not later than `c·⌊(T + e(i-1))/W⌋`, when a worker is free for the item.
//!
//! The end of the source is found with a token too, and only a last batch that is not full waits for it; that
//! is a way from some `R(i)` to the last batch as well, never longer than the device's own.

use super::rules::{Cuts, Rules, Time};
use super::schedule::Outcome;

/// The outcome where the closed form holds.
pub(super) fn closed_form(rules: &Rules) -> Option<Outcome> {
    (plain(rules) && tokens_change_nothing(rules)).then(|| outcome(rules))
}

/// One device, one batch deep, and nothing but the two halves.
fn plain(rules: &Rules) -> bool {
    let alone = rules.devices == 1 && rules.depth == 1 && rules.then.is_none();
    // Where a batch is one call, the last call may be smaller.
    alone && rules.source == 0 && rules.caller == 0 && rules.items == rules.documents && rules.items > 0
}

fn tokens_change_nothing(rules: &Rules) -> bool {
    let (batch, workers, tokens) = (u128::from(rules.batch), rules.workers as u128, rules.tokens as u128);
    let Cuts { mut ramp, .. } = rules.cuts();
    ramp.push(rules.batch);
    let compare = |size: u64| (Time::from(size) * rules.cpu).cmp(&(workers * rules.gpu(size)));
    let device_is_slower = ramp.iter().all(|size| compare(*size).is_le()) && tokens >= 2 * batch + workers;
    let workers_are_slower =
        ramp.iter().all(|size| compare(*size).is_ge()) && tokens + 2 >= 2 * batch + 2 * workers;
    device_is_slower || workers_are_slower
}

fn outcome(rules: &Rules) -> Outcome {
    let cuts = rules.cuts();
    let first = cuts.ramp.first().copied().unwrap_or(rules.batch).min(rules.items);
    let (first_submit, end) = (cut_at(rules, first), last_end(rules, &cuts));
    Outcome { end, first_result: first_submit + rules.gpu(first), first_submit, last_collect: end }
}

/// When the batch is cut that ends before this item.
fn cut_at(rules: &Rules, items: u64) -> Time {
    Time::from(items.div_ceil(rules.workers as u64)) * rules.cpu
}

/// When the device ends the last batch: the largest of the sums.
fn last_end(rules: &Rules, cuts: &Cuts) -> Time {
    let last = if cuts.last > 0 { rules.gpu(cuts.last) } else { 0 };
    let last_alone = if cuts.last > 0 { cut_at(rules, rules.items) + last } else { 0 };
    let full = rules.gpu(rules.batch);
    let ramped: u64 = cuts.ramp.iter().sum();
    let of_full = ends(rules, cuts.full).map(|number| {
        let behind = Time::from(cuts.full - number) * full;
        cut_at(rules, ramped + (number + 1) * rules.batch) + behind + last
    });
    let mut behind = Time::from(cuts.full) * full + last;
    let mut up_to = ramped;
    let of_ramp = cuts.ramp.iter().rev().map(|size| {
        behind += rules.gpu(*size);
        let sum = cut_at(rules, up_to) + behind;
        up_to -= size;
        sum
    });
    of_full.chain(of_ramp).max().unwrap_or(0).max(last_alone)
}

/// Numbers of the full batches that may give the largest sum: the first and the last `p`.
fn ends(rules: &Rules, full: u64) -> impl Iterator<Item = u64> {
    let workers = rules.workers as u64;
    let period = workers / gcd(rules.batch, workers);
    (0..full.min(period)).chain(full.saturating_sub(period)..full)
}

fn gcd(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { gcd(other, one % other) }
}
