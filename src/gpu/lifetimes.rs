//! Which tensors can share a buffer: those that are never needed at the same time.

use std::cmp::Reverse;

/// When a tensor is needed: from the step that writes it to the last step that reads it, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) bytes: u64,
}

/// Buffers and who lives in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SharedBuffers {
    /// Size of each buffer.
    pub(super) bytes: Vec<u64>,
    /// Buffer of each tensor, in the order of the lifetimes.
    pub(super) of: Vec<usize>,
}

/// Gives every tensor a buffer, so that no two tensors in one buffer are needed at the same step.
///
/// A step that writes one tensor and reads another needs both, so a kernel never writes what it reads.
/// There are as few buffers as can be, the largest number of tensors needed at once. How large they get
/// depends on who lives together, so several rules are tried and the least memory is taken: in order of time
/// from nothing and from the bounds of [`positional_maxima`], backward in time from these, and in order of
/// falling size. The first of them alone took 523 MB for 16 items of DenseNet-121, where all of them take 184,
/// which is the bound; for ResNet-50 154 and 128 (the bound), for EfficientNet-Lite0 135 and 114 (bound 111).
pub(super) fn assign(lifetimes: &[Lifetime]) -> SharedBuffers {
    let bounds = positional_maxima(lifetimes);
    let end = lifetimes.iter().map(|life| life.last).max().unwrap_or(0);
    let backward: Vec<Lifetime> = lifetimes
        .iter()
        .map(|life| Lifetime { first: end - life.last, last: end - life.first, bytes: life.bytes })
        .collect();
    let rules = [
        in_time(lifetimes, vec![0; bounds.len()]),
        in_time(lifetimes, bounds.clone()),
        in_time(&backward, bounds),
        by_size(lifetimes),
    ];
    let cost = |shared: &SharedBuffers| (shared.bytes.len(), shared.bytes.iter().sum::<u64>());
    rules.into_iter().min_by_key(cost).expect("there are four")
}

/// What the largest buffer has at least, what the second largest has at least, and so on: the largest of the
/// tensors that are needed at one step, over all steps, the largest of the second largest ones, and so on.
///
/// Source: Pisarchyk & Lee 2020, *Efficient Memory Management for Deep Neural Net Inference*.
fn positional_maxima(lifetimes: &[Lifetime]) -> Vec<u64> {
    let mut maxima = Vec::new();
    // Most are needed at a step at which one of them is written.
    for step in lifetimes.iter().map(|life| life.first) {
        let needed = lifetimes.iter().filter(|life| life.first <= step && step <= life.last);
        let mut bytes: Vec<u64> = needed.map(|life| life.bytes).collect();
        bytes.sort_unstable_by(|one, other| other.cmp(one));
        maxima.resize(bytes.len().max(maxima.len()), 0);
        maxima.iter_mut().zip(bytes).for_each(|(most, bytes)| *most = bytes.max(*most));
    }
    maxima
}

/// In the order of their first step, tensors get the free buffer that fits best: the smallest that is large
/// enough, else the largest, which then grows.
///
/// `sizes` are those that the buffers are taken to have, as many as tensors are needed at once: that many are
/// enough in this order (interval colouring), so there always is a free one.
fn in_time(lifetimes: &[Lifetime], mut sizes: Vec<u64>) -> SharedBuffers {
    let mut order: Vec<usize> = (0..lifetimes.len()).collect();
    order.sort_by_key(|&tensor| lifetimes[tensor].first);
    let mut shared = SharedBuffers { bytes: vec![0; sizes.len()], of: vec![0; lifetimes.len()] };
    let mut last_use: Vec<Option<usize>> = vec![None; sizes.len()];
    for tensor in order {
        let Lifetime { first, last, bytes } = lifetimes[tensor];
        let free = (0..sizes.len()).filter(|&buffer| last_use[buffer].is_none_or(|last| last < first));
        let buffer = best_fit(&sizes, free, bytes).expect("no more are needed at once");
        sizes[buffer] = sizes[buffer].max(bytes);
        last_use[buffer] = Some(last);
        shared.put(tensor, bytes, buffer);
    }
    shared
}

fn best_fit(sizes: &[u64], free: impl Iterator<Item = usize>, bytes: u64) -> Option<usize> {
    free.min_by_key(|&buffer| {
        let size = sizes[buffer];
        if size >= bytes { (false, size - bytes) } else { (true, bytes - size) }
    })
}

/// The largest first, so that a buffer never grows; of the free buffers, tensors get the one that stands
/// empty for the fewest steps before or behind them. It may take more buffers than are needed at once.
///
/// Source: "greedy by size improved" of Pisarchyk & Lee 2020.
fn by_size(lifetimes: &[Lifetime]) -> SharedBuffers {
    let mut order: Vec<usize> = (0..lifetimes.len()).collect();
    order.sort_by_key(|&tensor| (Reverse(lifetimes[tensor].bytes), lifetimes[tensor].first));
    let mut shared = SharedBuffers { bytes: Vec::new(), of: vec![0; lifetimes.len()] };
    let mut living: Vec<Vec<Lifetime>> = Vec::new();
    for tensor in order {
        let life = lifetimes[tensor];
        let gap = |buffer: usize| Some((gap(&living[buffer], life)?, shared.bytes[buffer], buffer));
        let nearest = (0..living.len()).filter_map(gap).min();
        let buffer = nearest.map_or(living.len(), |(_, _, buffer)| buffer);
        if buffer == living.len() {
            living.push(Vec::new());
            shared.bytes.push(0);
        }
        living[buffer].push(life);
        shared.put(tensor, life.bytes, buffer);
    }
    shared
}

/// Steps between a lifetime and the nearest of those in a buffer; `None` where it meets one of them.
fn gap(living: &[Lifetime], life: Lifetime) -> Option<usize> {
    let apart = |other: &Lifetime| match other.last < life.first {
        true => Some(life.first - other.last),
        false => other.first.checked_sub(life.last).filter(|steps| *steps > 0),
    };
    living.iter().try_fold(usize::MAX, |least, other| Some(least.min(apart(other)?)))
}

impl SharedBuffers {
    fn put(&mut self, tensor: usize, bytes: u64, buffer: usize) {
        self.bytes[buffer] = self.bytes[buffer].max(bytes);
        self.of[tensor] = buffer;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lifetimes() -> impl Strategy<Value = Vec<Lifetime>> {
        let lifetime = (0usize..40, 0usize..12, 1u64..1000).prop_map(|(first, steps, bytes)| Lifetime {
            first,
            last: first + steps,
            bytes,
        });
        proptest::collection::vec(lifetime, 0..60)
    }

    fn meet(one: Lifetime, other: Lifetime) -> bool {
        one.first <= other.last && other.first <= one.last
    }

    fn total(shared: &SharedBuffers) -> u64 {
        shared.bytes.iter().sum()
    }

    fn keeps_apart(lifetimes: &[Lifetime], shared: &SharedBuffers) -> bool {
        let shares = |one: usize, other: usize| shared.of[one] == shared.of[other];
        (0..lifetimes.len()).all(|one| {
            let fits = shared.bytes[shared.of[one]] >= lifetimes[one].bytes;
            fits && (0..one).all(|other| !shares(one, other) || !meet(lifetimes[one], lifetimes[other]))
        })
    }

    proptest! {
        #[test]
        fn tensors_that_are_needed_at_once_never_share_a_buffer(lifetimes in lifetimes()) {
            prop_assert!(keeps_apart(&lifetimes, &assign(&lifetimes)));
        }

        #[test]
        fn there_are_as_many_buffers_as_tensors_needed_at_once(lifetimes in lifetimes()) {
            let at = |step: usize| lifetimes.iter().filter(|life| life.first <= step && step <= life.last).count();
            let most = (0..60).map(at).max().unwrap_or(0);
            prop_assert_eq!(assign(&lifetimes).bytes.len(), most);
        }

        #[test]
        fn buffers_take_no_less_than_the_bounds_and_no_more_than_without_looking_ahead(lifetimes in lifetimes()) {
            let at = |step: usize| -> u64 {
                lifetimes.iter().filter(|life| life.first <= step && step <= life.last).map(|life| life.bytes).sum()
            };
            let live = (0..60).map(at).max().unwrap_or(0);
            let bounds = positional_maxima(&lifetimes);
            let bound: u64 = bounds.iter().sum();
            let taken = total(&assign(&lifetimes));
            prop_assert!(live <= bound && bound <= taken, "{} {} {}", live, bound, taken);
            prop_assert!(taken <= total(&in_time(&lifetimes, vec![0; bounds.len()])));
        }

        #[test]
        fn every_rule_keeps_apart_what_is_needed_at_once(lifetimes in lifetimes()) {
            let bounds = positional_maxima(&lifetimes);
            for shared in [in_time(&lifetimes, bounds), by_size(&lifetimes)] {
                prop_assert!(keeps_apart(&lifetimes, &shared));
            }
        }
    }

    #[test]
    fn a_chain_needs_two_buffers() {
        let chain: Vec<Lifetime> =
            (0..5).map(|step| Lifetime { first: step, last: step + 1, bytes: 8 }).collect();
        assert_eq!(assign(&chain).of, [0, 1, 0, 1, 0]);
    }

    /// Small tensors that live on come when the buffer of a large one has just become free.
    #[test]
    fn small_tensors_that_live_on_take_no_large_buffers() {
        let passing = (0..6).map(|step| Lifetime { first: 2 * step, last: 2 * step, bytes: 100 });
        let kept = (0..6).map(|step| Lifetime { first: 2 * step + 1, last: 12, bytes: 1 });
        let lifetimes: Vec<Lifetime> = passing.zip(kept).flat_map(|(one, other)| [one, other]).collect();
        assert_eq!(total(&assign(&lifetimes)), 105);
        assert_eq!(total(&in_time(&lifetimes, vec![0; 6])), 600);
    }
}
