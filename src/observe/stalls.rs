//! Why a device had no batch: what its next batch was waiting for meanwhile.
//!
//! A gap ends when a batch comes. The group that completed that batch knows when it was pulled, begun and done;
//! walking along this path through the gap says what the batch was waiting for at each moment of it. So the
//! causes add up to the gap, exactly.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::counters::{Mark, Total};
use crate::moment::Moment;

/// Why a device had no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Source,
    Workers,
    SlowDocument,
    Then,
    Caller,
    Tokens,
    Host,
}

const CAUSES: usize = 7;

/// Who had the tokens that the feeder waited for.
const HOLDERS: [Why; 3] = [Why::Caller, Why::Then, Why::Tokens];

/// How a group came through, and with it the batch that it completed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trail {
    /// What the feeder had waited for tokens before it, by who had them.
    pub(crate) waited: [Duration; HOLDERS.len()],
    /// When the source was asked for it, and had given it.
    pub(crate) asked: Moment,
    pub(crate) pulled: Moment,
    /// When a worker began and ended it.
    pub(crate) begun: Moment,
    pub(crate) done: Moment,
    /// Since when as many as a batch stood ready behind one of it.
    pub(crate) held_up: Option<Moment>,
}

/// What the feeder waits for tokens, by who has them. On a line of its own: a device thread reads it when
/// others count elsewhere.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct TokenWaits {
    ended: [Total; HOLDERS.len()],
    /// When the wait began that has not ended.
    since: Mark,
}

impl TokenWaits {
    pub(crate) fn begin(&self, now: Moment) {
        self.since.set(now);
    }

    pub(crate) fn end(&self, time: Duration, holder: Why) {
        self.since.clear();
        if let Some(place) = HOLDERS.iter().position(|other| *other == holder) {
            self.ended[place].add(time);
        }
    }

    pub(crate) fn ended(&self) -> [Duration; HOLDERS.len()] {
        [0, 1, 2].map(|place: usize| self.ended[place].get())
    }
}

/// How things stood when a device had no batch any more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    waited: [Duration; HOLDERS.len()],
    /// What had passed of a wait that was going on.
    passed: Duration,
    /// Work of the workers before.
    prepared: Duration,
    worked_on: Duration,
}

impl Before {
    pub(crate) fn new(waits: &TokenWaits, now: Moment) -> Self {
        let passed = waits.since.get().map_or(Duration::ZERO, |since| now.since(since));
        Self { waited: waits.ended(), passed, ..Self::default() }
    }

    /// Where rows are worked on after the device too.
    pub(crate) fn with_work(mut self, prepared: Duration, worked_on: Duration) -> Self {
        (self.prepared, self.worked_on) = (prepared, worked_on);
        self
    }

    /// Whether the workers have mostly worked on rows since then.
    pub(crate) fn mostly_then(&self, prepared: Duration, worked_on: Duration) -> bool {
        worked_on.saturating_sub(self.worked_on) > prepared.saturating_sub(self.prepared)
    }

    /// Time before the source was asked that the feeder waited for tokens, and who had most of them.
    fn without_token(&self, trail: &Trail, unasked: Duration) -> (Duration, Why) {
        let since = |place: usize| trail.waited[place].saturating_sub(self.waited[place]);
        let all: Duration = (0..HOLDERS.len()).map(since).sum();
        let holder = (0..HOLDERS.len())
            .rev()
            .max_by_key(|place| since(*place))
            .map_or(Why::Tokens, |place| HOLDERS[place]);
        (all.saturating_sub(self.passed).min(unasked), holder)
    }
}

/// What a device waited for in a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gap([Duration; CAUSES]);

impl Gap {
    /// `then_first` where what waited for a worker waited for rows that are worked on after the device.
    pub(crate) fn new(time: Range<Moment>, before: &Before, trail: Option<&Trail>, then_first: bool) -> Self {
        let mut gap = Self::default();
        let Some(trail) = trail else {
            // Nobody completed the batch: it was cut because no further document came in time.
            gap.add(Why::Source, time.end.since(time.start));
            return gap;
        };
        let mut now = time.start;
        let mut until = |moment: Moment| {
            let next = moment.clamp(now, time.end.max(now));
            next.since(std::mem::replace(&mut now, next))
        };
        let unasked = until(trail.asked);
        let (without, holder) = before.without_token(trail, unasked);
        gap.add(holder, without);
        gap.add(Why::Source, unasked - without + until(trail.pulled));
        gap.add(if then_first { Why::Then } else { Why::Workers }, until(trail.begun));
        gap.add(Why::Workers, until(trail.held_up.unwrap_or(trail.done).min(trail.done)));
        gap.add(Why::SlowDocument, until(trail.done));
        gap.add(Why::Host, until(time.end));
        gap
    }

    fn add(&mut self, why: Why, time: Duration) {
        self.0[why as usize] += time;
    }
}

/// The gaps of one device, by cause.
#[derive(Debug, Default)]
pub(crate) struct StallMeter([(Total, AtomicU64); CAUSES]);

impl StallMeter {
    /// A gap counts as one of its longest cause.
    pub(crate) fn add(&self, gap: &Gap) {
        let mut longest = 0;
        for (place, time) in gap.0.iter().enumerate() {
            if !time.is_zero() {
                self.0[place].0.add(*time);
            }
            if *time > gap.0[longest] {
                longest = place;
            }
        }
        if !gap.0[longest].is_zero() {
            self.0[longest].1.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn stalls(&self) -> Stalls {
        let of = |why: Why| {
            let (time, count) = &self.0[why as usize];
            Stall { seconds: time.get().as_secs_f64(), count: count.load(Ordering::Relaxed) }
        };
        Stalls {
            source: of(Why::Source),
            workers: of(Why::Workers),
            slow_document: of(Why::SlowDocument),
            then: of(Why::Then),
            caller: of(Why::Caller),
            tokens: of(Why::Tokens),
            host: of(Why::Host),
        }
    }
}

/// What a device waited for while it had no batch, between its first and its last: the seconds add up to
/// `starved_s`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stalls {
    /// The source had not given the documents: make its `next` cheaper, or read ahead in it.
    pub source: Stall,
    /// The workers had not prepared them: more workers, or a cheaper CPU stage.
    pub workers: Stall,
    /// One document was being prepared, and as many as a batch stood ready behind it: split such documents,
    /// raise `ahead`, or take `Order::Completion`.
    pub slow_document: Stall,
    /// The workers, or all tokens, were with `then`: make it cheaper, or raise `ahead`.
    pub then: Stall,
    /// The caller had not taken results that were ready, and with them were all tokens: do less between two
    /// results, or raise `ahead`.
    pub caller: Stall,
    /// All tokens were taken, and neither the caller nor `then` had them: raise `ahead`.
    pub tokens: Stall,
    /// A batch was ready, and the device thread still handed on the one before: a deeper stage
    /// ([`GpuStage::depth`](crate::GpuStage::depth)), or a cheaper `recycle`.
    pub host: Stall,
}

/// One cause in [`Stalls`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stall {
    /// Seconds, summed over all gaps.
    pub seconds: f64,
    /// Gaps of which this was the longest cause.
    pub count: u64,
}

impl Stalls {
    /// Each cause with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Stall)> {
        [
            ("source", self.source),
            ("workers", self.workers),
            ("slow document", self.slow_document),
            ("then", self.then),
            ("caller", self.caller),
            ("tokens", self.tokens),
            ("host", self.host),
        ]
        .into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(second: u64) -> Moment {
        Moment::at(secs(second))
    }

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn gap(time: Range<u64>, trail: Trail) -> Gap {
        Gap::new(at(time.start)..at(time.end), &Before::default(), Some(&trail), false)
    }

    fn seconds(gap: &Gap, why: Why) -> u64 {
        gap.0[why as usize].as_secs()
    }

    const TRAIL: Trail = Trail {
        waited: [Duration::ZERO; 3],
        asked: at(3),
        pulled: at(5),
        begun: at(6),
        done: at(10),
        held_up: None,
    };

    #[test]
    fn the_causes_of_a_gap_add_up_to_it() {
        for start in 0..12 {
            for end in start..14 {
                let gap = gap(start..end, Trail { held_up: Some(at(8)), ..TRAIL });
                assert_eq!(gap.0.iter().sum::<Duration>(), secs(end - start));
            }
        }
    }

    #[test]
    fn a_batch_waits_for_the_source_then_for_a_worker_then_for_its_document() {
        let gap = gap(4..11, Trail { held_up: Some(at(8)), ..TRAIL });
        let parts = [Why::Source, Why::Workers, Why::SlowDocument, Why::Host].map(|why| seconds(&gap, why));
        assert_eq!(parts, [1, 3, 2, 1]);
    }

    #[test]
    fn a_batch_that_was_ready_waited_for_the_device_thread() {
        assert_eq!(seconds(&gap(11..13, TRAIL), Why::Host), 2);
    }

    #[test]
    fn tokens_are_missing_since_someone_has_them() {
        let trail = Trail { waited: [secs(2), secs(9), secs(1)], ..TRAIL };
        let before = Before { waited: [secs(2), secs(7), secs(1)], passed: secs(1), ..Before::default() };
        let gap = Gap::new(at(1)..at(3), &before, Some(&trail), false);
        assert_eq!([Why::Then, Why::Source].map(|why| seconds(&gap, why)), [1, 1]);
    }

    #[test]
    fn a_gap_counts_once_for_its_longest_cause() {
        let meter = StallMeter::default();
        meter.add(&gap(4..11, TRAIL));
        meter.add(&gap(11..11, TRAIL));
        let stalls = meter.stalls();
        assert_eq!(stalls.workers, Stall { seconds: 5.0, count: 1 });
        assert_eq!(stalls.source, Stall { seconds: 1.0, count: 0 });
        assert_eq!(stalls.iter().map(|(_, stall)| stall.count).sum::<u64>(), 1);
    }
}
