//! Which batch loses the device: what is known of each, and what follows from another loss.
//!
//! A device that is lost owes several batches, and does not say which one did it. After the first loss
//! nobody is blamed: all of them run again. A batch that was in flight at a second loss runs alone from
//! then on, so that the next loss names it. A batch that was at two losses, and alone at the last, is
//! halved; its halves run alone, and one more loss is enough to halve them again. A single item has to
//! lose the device twice while nothing else is on it: then it fails. Nothing here touches a device.

/// Losses after which a batch runs alone.
const RUNS_ALONE_AFTER: u32 = 2;
/// Losses that a single item must have caused, alone, before it fails.
const FAILS_AFTER: u32 = 2;

/// What is known of a batch that may be what loses the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suspicion {
    /// Losses at which its items were in flight.
    losses: u32,
    /// Losses at which it was the only batch in flight, as it is cut now.
    alone: u32,
}

/// What becomes of a batch after a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is submitted again.
    Again,
    /// It loses the device, and has several items: its halves are submitted.
    Narrow,
    /// It loses the device, and is a single item: that fails.
    Guilty,
}

impl Suspicion {
    /// Whether nothing else may be on the device with it.
    pub(crate) fn runs_alone(self) -> bool {
        self.losses >= RUNS_ALONE_AFTER
    }

    /// The device was lost with this batch of `size` items on it.
    pub(crate) fn lost(&mut self, alone: bool, size: usize) -> Verdict {
        self.losses += 1;
        self.alone += u32::from(alone);
        match size {
            0 | 1 if self.alone >= FAILS_AFTER => Verdict::Guilty,
            0 | 1 => Verdict::Again,
            _ if alone && self.runs_alone() => Verdict::Narrow,
            _ => Verdict::Again,
        }
    }

    /// It was made smaller: what it did alone says nothing about what is left of it.
    pub(crate) fn narrow(&mut self) {
        self.alone = 0;
    }
}

/// Losses in a row, with no answer of the device between, after which it is given up: enough to find
/// two neighbours in a batch of `largest` items that lose it.
pub(crate) fn most_in_a_row(largest: usize) -> u32 {
    8 + 2 * largest.max(1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_blamed_for_one_loss() {
        for size in [1, 2, 16] {
            for alone in [false, true] {
                let mut suspicion = Suspicion::default();
                assert_eq!(suspicion.lost(alone, size), Verdict::Again);
                assert!(!suspicion.runs_alone());
            }
        }
    }

    #[test]
    fn who_was_there_twice_runs_alone_and_is_narrowed_by_the_next_loss() {
        let mut suspicion = Suspicion::default();
        let verdicts = [false, false, true].map(|alone| suspicion.lost(alone, 16));
        assert_eq!(verdicts, [Verdict::Again, Verdict::Again, Verdict::Narrow]);
        assert!(suspicion.runs_alone());
    }

    #[test]
    fn a_batch_that_was_alone_at_both_losses_is_narrowed_at_the_second() {
        let mut suspicion = Suspicion::default();
        assert_eq!([true, true].map(|alone| suspicion.lost(alone, 2)), [Verdict::Again, Verdict::Narrow]);
    }

    #[test]
    fn an_item_fails_only_after_two_losses_that_it_was_alone_at() {
        let mut suspicion = Suspicion::default();
        let alone = [false, false, false, true, true];
        let verdicts = alone.map(|alone| suspicion.lost(alone, 1));
        assert_eq!(verdicts[..4], [Verdict::Again; 4]);
        assert_eq!(verdicts[4], Verdict::Guilty);
    }

    #[test]
    fn what_a_batch_did_says_nothing_about_its_half() {
        let mut suspicion = Suspicion::default();
        suspicion.lost(true, 2);
        suspicion.lost(true, 2);
        suspicion.narrow();
        assert!(suspicion.runs_alone());
        assert_eq!([true, true].map(|alone| suspicion.lost(alone, 1)), [Verdict::Again, Verdict::Guilty]);
    }

    #[test]
    fn a_device_is_not_given_up_while_two_neighbours_that_lose_it_are_being_found() {
        for bits in 0..24 {
            // Two losses with others and one alone, one for each half of several items, two for either item.
            let needed = if bits == 0 { 2 + 2 + 2 } else { 3 + (bits - 1) + 2 + 2 };
            assert!(most_in_a_row(1 << bits) >= needed, "{bits} bits");
        }
    }
}
