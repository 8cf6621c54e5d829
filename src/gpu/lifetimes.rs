//! Which tensors can share a buffer: those that are never needed at the same time.

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
/// Tensors are taken in the order of their first step; each gets the free buffer that fits best, the
/// smallest that is large enough, else the largest, which then grows (greedy interval colouring: the
/// number of buffers is the largest number of tensors needed at once).
pub(super) fn assign(lifetimes: &[Lifetime]) -> SharedBuffers {
    let mut order: Vec<usize> = (0..lifetimes.len()).collect();
    order.sort_by_key(|&tensor| lifetimes[tensor].first);
    let mut shared = SharedBuffers { bytes: Vec::new(), of: vec![0; lifetimes.len()] };
    let mut last_use: Vec<usize> = Vec::new();
    for tensor in order {
        let Lifetime { first, last, bytes } = lifetimes[tensor];
        let free = (0..shared.bytes.len()).filter(|&buffer| last_use[buffer] < first);
        let buffer = best_fit(&shared.bytes, free, bytes).unwrap_or_else(|| {
            shared.bytes.push(0);
            last_use.push(0);
            shared.bytes.len() - 1
        });
        shared.bytes[buffer] = shared.bytes[buffer].max(bytes);
        last_use[buffer] = last;
        shared.of[tensor] = buffer;
    }
    shared
}

fn best_fit(sizes: &[u64], free: impl Iterator<Item = usize>, bytes: u64) -> Option<usize> {
    free.min_by_key(|&buffer| {
        let size = sizes[buffer];
        if size >= bytes { (false, size - bytes) } else { (true, bytes - size) }
    })
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

    proptest! {
        #[test]
        fn tensors_that_are_needed_at_once_never_share_a_buffer(lifetimes in lifetimes()) {
            let shared = assign(&lifetimes);
            for one in 0..lifetimes.len() {
                prop_assert!(shared.bytes[shared.of[one]] >= lifetimes[one].bytes);
                for other in 0..one {
                    let share = shared.of[one] == shared.of[other];
                    prop_assert!(!share || !meet(lifetimes[one], lifetimes[other]));
                }
            }
        }

        #[test]
        fn there_are_as_many_buffers_as_tensors_needed_at_once(lifetimes in lifetimes()) {
            let at = |step: usize| lifetimes.iter().filter(|life| life.first <= step && step <= life.last).count();
            let most = (0..60).map(at).max().unwrap_or(0);
            prop_assert_eq!(assign(&lifetimes).bytes.len(), most);
        }
    }

    #[test]
    fn a_chain_needs_two_buffers() {
        let chain: Vec<Lifetime> =
            (0..5).map(|step| Lifetime { first: step, last: step + 1, bytes: 8 }).collect();
        assert_eq!(assign(&chain).of, [0, 1, 0, 1, 0]);
    }
}
