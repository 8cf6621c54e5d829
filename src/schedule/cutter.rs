//! Where the cuts fall.
//!
//! A [`Cutter`] says when the batch that is being filled is cut. It is told of everything that decides it: of
//! each cut, of devices that have nothing to do, of another size. Whoever owns it counts the items of the open
//! batch, asks [`is_full`](Cutter::is_full) after each item and after each call that may make a batch smaller,
//! and says [`was_cut`](Cutter::was_cut) after every cut, for whatever reason it was made.
//!
//! # The laws
//! - A batch is cut when its good items are as many as its size. Failed items ride along without taking a
//!   place, so batches stay full.
//! - It is cut earlier when good and failed items together reach the limit: they may then hold every token, and
//!   nothing more would come.
//! - The first batches are full, or 1, 2, 4, … items ([`Begin`]).
//! - While costs are learnt, a device that has nothing to do gets what stands, at least 1, 2, 4, … items, so that
//!   there are few small batches however often devices ask. The next batch stays small until there is one for
//!   every device that asked. The first full batch ends this.
//!
//! It never cuts itself, and knows neither the end of the source nor time: what is cut for these is reported
//! here as any other cut.

/// What the first batches are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Full.
    Full,
    /// 1, 2, 4, … items.
    Ramp,
    /// One item, and then whatever stands when a device has nothing to do, until one is full.
    Early,
}

/// Whether a device that has nothing to do still gets small batches, when another size is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Early {
    /// No more: every batch is full from now on.
    Over,
    /// As before: until one is full, if none was yet.
    GoesOn,
    /// From one item on, until one is full.
    Anew,
}

/// How many items a batch holds before it is cut.
#[derive(Clone, Debug)]
pub(crate) struct Cutter {
    full: usize,
    size: usize,
    limit: usize,
    /// `None` where every batch waits until it is full, or ramps up.
    early: Option<Small>,
}

/// Small batches for devices that have nothing to do.
#[derive(Clone, Debug)]
struct Small {
    /// Items that the next of them holds at least.
    least: usize,
    /// Devices that asked for a batch and have not taken one since.
    hungry: Vec<usize>,
    /// Batches that were cut and not taken since one of them asked last.
    standing: usize,
}

impl Cutter {
    /// Batches of `full` items, cut at `limit` good and failed items at the latest.
    pub(crate) fn new(full: usize, limit: usize, begin: Begin) -> Self {
        Self {
            full,
            size: if begin == Begin::Full { full } else { 1 },
            limit,
            early: (begin == Begin::Early).then(Small::anew),
        }
    }

    /// Items of a full batch.
    pub(crate) fn full(&self) -> usize {
        self.full
    }

    /// Good items at which the batch that is being filled is cut.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Whether a batch is cut now that has so many good items, of so many in all.
    pub(crate) fn is_full(&self, good: usize, all: usize) -> bool {
        good >= self.size || all >= self.limit
    }

    /// Whether a batch of so many good items has fewer than it should, if it is cut now.
    pub(crate) fn is_short(&self, good: usize) -> bool {
        good < self.size
    }

    /// A batch of so many good items was cut, for whatever reason: decides the size of the next.
    pub(crate) fn was_cut(&mut self, good: usize) {
        match &mut self.early {
            None => self.size = self.size.saturating_mul(2).min(self.full),
            Some(_) if good >= self.full => {
                self.early = None;
                self.size = self.full;
            }
            Some(small) => {
                if good > 0 {
                    small.least = small.least.saturating_mul(2);
                }
                small.standing += 1;
                self.size = small.size(self.full);
            }
        }
    }

    /// This device has nothing to do, and no batch stands for it: the next batch is small. False where every
    /// batch waits until it is full by now, so that asking is no use any more.
    ///
    /// To be called when nothing can be cut between the look for a batch and this call. However often a
    /// device asks, it is owed one batch. The open batch may be full after it.
    pub(crate) fn feed_idle(&mut self, device: usize) -> bool {
        let Some(small) = &mut self.early else { return false };
        small.standing = 0;
        if !small.hungry.contains(&device) {
            small.hungry.push(device);
        }
        self.size = small.size(self.full);
        true
    }

    /// This device has taken a batch, whether it had asked for one or not. While small batches go on it is to
    /// be called for every batch, or a device whose batch went to another would wait for a full one. The open
    /// batch may be full after it.
    pub(crate) fn was_taken(&mut self, device: usize) {
        let Some(small) = &mut self.early else { return };
        small.standing = small.standing.saturating_sub(1);
        small.hungry.retain(|other| *other != device);
        self.size = small.size(self.full);
    }

    /// Full batches are of this size from now on, and cut at this limit at the latest. A ramp that has not come
    /// to its end goes on, and a device that is owed a small batch still gets it, unless they are over. The open
    /// batch may be full after it.
    pub(crate) fn cut_at(&mut self, full: usize, limit: usize, early: Early) {
        let ramping = self.early.is_none() && self.size < self.full;
        match (early, &mut self.early) {
            (Early::Over, _) => self.early = None,
            (Early::GoesOn, _) => {}
            (Early::Anew, Some(small)) => small.least = 1,
            (Early::Anew, None) => self.early = Some(Small::anew()),
        }
        (self.full, self.limit) = (full, limit);
        self.size = match &self.early {
            Some(small) => small.size(full),
            None if ramping => self.size.min(full),
            None => full,
        };
    }
}

impl Small {
    fn anew() -> Self {
        Self { least: 1, hungry: Vec::new(), standing: 0 }
    }

    /// Items of the next batch: few while more devices ask than batches stand for them.
    fn size(&self, full: usize) -> usize {
        if self.hungry.len() > self.standing { self.least.min(full) } else { full }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes at which batches are cut in turn, with nothing but good items.
    fn sizes(cutter: &mut Cutter, batches: usize) -> Vec<usize> {
        let cut = |_| {
            let good = cutter.size();
            cutter.was_cut(good);
            good
        };
        (0..batches).map(cut).collect()
    }

    #[test]
    fn batches_are_full_from_the_first_on_unless_they_ramp_up() {
        assert_eq!(sizes(&mut Cutter::new(12, 100, Begin::Full), 3), [12, 12, 12]);
        assert_eq!(sizes(&mut Cutter::new(12, 100, Begin::Ramp), 6), [1, 2, 4, 8, 12, 12]);
        assert_eq!(sizes(&mut Cutter::new(1, 100, Begin::Ramp), 2), [1, 1]);
    }

    #[test]
    fn failed_items_take_no_place_until_they_may_hold_every_token() {
        let cutter = Cutter::new(4, 6, Begin::Full);
        assert!(!cutter.is_full(3, 5) && cutter.is_short(3));
        assert!(cutter.is_full(4, 4) && !cutter.is_short(4));
        assert!(cutter.is_full(0, 6));
    }

    #[test]
    fn a_ramp_goes_on_after_another_size_was_chosen() {
        let mut cutter = Cutter::new(16, 64, Begin::Ramp);
        assert_eq!(sizes(&mut cutter, 2), [1, 2]);
        cutter.cut_at(8, 32, Early::Over);
        assert_eq!(sizes(&mut cutter, 3), [4, 8, 8]);
        cutter.cut_at(16, 64, Early::GoesOn);
        assert_eq!(sizes(&mut cutter, 2), [16, 16]);
    }

    #[test]
    fn a_device_that_has_nothing_to_do_gets_one_item_then_two_then_four() {
        let mut cutter = Cutter::new(6, 100, Begin::Early);
        assert_eq!(sizes(&mut cutter, 1), [1], "nobody has to ask for the first");
        assert_eq!(cutter.size(), 6, "a device that works lets a batch fill");
        for least in [2, 4, 6] {
            assert!(cutter.feed_idle(0));
            assert_eq!(cutter.size(), least);
            cutter.was_cut(least);
            cutter.was_taken(0);
            assert_eq!(cutter.size(), 6);
        }
        assert!(!cutter.feed_idle(0), "one was full");
        assert_eq!(cutter.size(), 6);
    }

    #[test]
    fn batches_stay_small_until_every_device_that_asked_has_one() {
        let mut cutter = Cutter::new(64, 100, Begin::Early);
        assert!([0, 1, 2].map(|device| cutter.feed_idle(device)).iter().all(|goes_on| *goes_on));
        assert_eq!(sizes(&mut cutter, 3), [1, 2, 4], "none of them has taken its batch yet");
        assert_eq!(cutter.size(), 64);
        [2, 0, 1].into_iter().for_each(|device| cutter.was_taken(device));
        assert_eq!(cutter.size(), 64);
    }

    #[test]
    fn a_device_whose_batch_went_to_another_still_gets_one() {
        let mut cutter = Cutter::new(64, 100, Begin::Early);
        cutter.feed_idle(0);
        cutter.was_cut(1);
        assert_eq!(cutter.size(), 64);
        cutter.was_taken(1);
        assert_eq!(cutter.size(), 2);
        cutter.was_cut(2);
        cutter.was_taken(0);
        assert_eq!(cutter.size(), 64);
    }

    #[test]
    fn a_device_that_asks_again_is_owed_one_batch() {
        let mut cutter = Cutter::new(64, 100, Begin::Early);
        (0..5).for_each(|_| assert!(cutter.feed_idle(0)));
        cutter.was_cut(1);
        assert_eq!(cutter.size(), 64);
    }

    #[test]
    fn failures_alone_do_not_make_the_next_batch_larger() {
        let mut cutter = Cutter::new(64, 3, Begin::Early);
        cutter.feed_idle(0);
        cutter.was_cut(0);
        cutter.was_taken(0);
        cutter.feed_idle(0);
        assert_eq!(cutter.size(), 1);
    }

    #[test]
    fn another_size_leaves_a_device_its_small_batch_unless_they_are_over() {
        let asked = || {
            let mut cutter = Cutter::new(64, 100, Begin::Early);
            cutter.was_cut(1);
            cutter.was_taken(0);
            assert!(cutter.feed_idle(0));
            cutter
        };
        let after = |early| {
            let mut cutter = asked();
            cutter.cut_at(16, 40, early);
            (cutter.size(), cutter.full(), cutter.feed_idle(0))
        };
        assert_eq!(after(Early::GoesOn), (2, 16, true));
        assert_eq!(after(Early::Anew), (1, 16, true));
        assert_eq!(after(Early::Over), (16, 16, false));
    }

    #[test]
    fn learning_anew_waits_until_a_device_asks() {
        let mut cutter = Cutter::new(8, 100, Begin::Early);
        assert_eq!(sizes(&mut cutter, 2), [1, 8]);
        cutter.cut_at(64, 100, Early::Anew);
        assert_eq!(cutter.size(), 64);
        assert!(cutter.feed_idle(0));
        assert_eq!(cutter.size(), 1);
    }

    #[test]
    fn many_cuts_before_a_batch_is_full_are_no_trouble() {
        let mut cutter = Cutter::new(64, 100, Begin::Early);
        (0..200).for_each(|_| cutter.was_cut(1));
        assert!(cutter.feed_idle(0));
        assert_eq!(cutter.size(), 64);
    }
}
