//! What a run records of itself, where that was asked for: spans and counters, in memory that was taken
//! before it started.
//!
//! A span takes the next free place and no lock. What comes when every place is taken is counted and left
//! out, so a recording is bounded and shows the beginning of a run that is longer than it.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::moment::{Moment, nanos};

/// Spans that a recording has room for, where that was left open: 8 MiB.
const ROOM: usize = 1 << 18;

/// Most spans that a recording may have room for: 2 GiB.
pub(crate) const MOST_ROOM: usize = 1 << 26;

/// Lives of devices whose clocks are told apart; a device that was lost starts a new one.
const CLOCKS: usize = 64;

/// Whether a run is recorded, and how much of it: see [`Pipeline::trace`](crate::Pipeline::trace).
///
/// ```
/// use gapless::Recording;
/// assert_eq!(Recording::from(true).room(), 262_144);
/// assert_eq!(Recording::from(false), Recording::from(0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recording(usize);

impl Recording {
    /// Spans that there is room for, 32 bytes each; 0 where nothing is recorded.
    pub fn room(self) -> usize {
        self.0
    }
}

impl From<bool> for Recording {
    fn from(on: bool) -> Self {
        Self(if on { ROOM } else { 0 })
    }
}

impl From<usize> for Recording {
    fn from(room: usize) -> Self {
        Self(room)
    }
}

/// What a span is, and with its device and lane whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Lane: the worker. First: a position.
    Prepare,
    /// Lane: the worker. First: a batch.
    Then,
    /// The feeder had no token.
    WaitForToken,
    /// The feeder was inside the source. First: a position.
    Source,
    /// The device thread was inside `submit`. First: a batch.
    Submit,
    /// The device thread was inside `try_collect`. First: a batch.
    Collect,
    /// A lost device was made again.
    Rebuild,
    /// Submitted and not yet collected. Lane: the slot. First: a batch.
    InFlight,
    /// By the device's own clock. Lane: which clock. First: a batch.
    OnDevice,
    /// By the device's own clock. Lane: which clock. First: a kernel.
    Kernel,
    /// The caller waited for a result.
    WaitForResult,
    /// The caller had a result. First: a batch.
    Caller,
    /// A counter: items that stand in the line.
    LineFill,
    /// A counter: tokens that are taken.
    Tokens,
}

impl Kind {
    const ALL: [Self; 14] = [
        Self::Prepare,
        Self::Then,
        Self::WaitForToken,
        Self::Source,
        Self::Submit,
        Self::Collect,
        Self::Rebuild,
        Self::InFlight,
        Self::OnDevice,
        Self::Kernel,
        Self::WaitForResult,
        Self::Caller,
        Self::LineFill,
        Self::Tokens,
    ];

    pub(crate) fn is_counter(self) -> bool {
        matches!(self, Self::LineFill | Self::Tokens)
    }

    /// Whether the times are those of a device's clock.
    pub(crate) fn by_device(self) -> bool {
        matches!(self, Self::OnDevice | Self::Kernel)
    }
}

/// One thing that happened, with its times in nanoseconds since the run started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) kind: Kind,
    pub(crate) device: u8,
    pub(crate) lane: u16,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The first of what it was about; a counter's value.
    pub(crate) first: u64,
    /// How many of it.
    pub(crate) count: u32,
}

impl Span {
    pub(crate) fn new(kind: Kind, start: Moment, end: Moment) -> Self {
        Self { kind, device: 0, lane: 0, start: start.nanos(), end: end.nanos(), first: 0, count: 0 }
    }

    /// A counter that had this value from then on.
    pub(crate) fn counter(kind: Kind, at: Moment, value: usize) -> Self {
        Self::new(kind, at, at).about(value as u64, 1)
    }

    pub(crate) fn about(mut self, first: u64, count: usize) -> Self {
        self.first = first;
        self.count = u32::try_from(count).unwrap_or(u32::MAX);
        self
    }

    pub(crate) fn on_device(mut self, device: usize) -> Self {
        self.device = u8::try_from(device).unwrap_or(u8::MAX);
        self
    }

    pub(crate) fn in_lane(mut self, lane: usize) -> Self {
        self.lane = u16::try_from(lane).unwrap_or(u16::MAX);
        self
    }

    /// The last word is never 0, so a place that was not written to the end can be told.
    fn words(self) -> [u64; 4] {
        let place = u64::from(self.device) << 16 | u64::from(self.lane);
        [self.start, self.end, self.first, (self.kind as u64 + 1) << 56 | place << 32 | u64::from(self.count)]
    }

    fn read([start, end, first, head]: [u64; 4]) -> Option<Self> {
        let kind = usize::try_from(head >> 56).ok()?.checked_sub(1)?;
        Some(Self {
            kind: *Kind::ALL.get(kind)?,
            device: (head >> 48) as u8,
            lane: (head >> 32) as u16,
            start,
            end,
            first,
            count: head as u32,
        })
    }
}

#[derive(Debug)]
pub(crate) struct Recorder {
    places: Box<[[AtomicU64; 4]]>,
    next: AtomicUsize,
    clocks: Clocks,
}

impl Recorder {
    /// One with so much room; `None` where nothing is to be recorded.
    pub(crate) fn new(recording: Recording) -> Option<Self> {
        let place = |_| [0; 4].map(AtomicU64::new);
        let places: Box<[_]> = (0..recording.room()).map(place).collect();
        (!places.is_empty()).then(|| Self { places, next: AtomicUsize::new(0), clocks: Clocks::default() })
    }

    pub(crate) fn add(&self, span: Span) {
        let Some(place) = self.places.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return };
        let [start, end, first, head] = span.words();
        place[0].store(start, Ordering::Relaxed);
        place[1].store(end, Ordering::Relaxed);
        place[2].store(first, Ordering::Relaxed);
        // Last, so that whoever reads it while the run goes on finds the other words written.
        place[3].store(head, Ordering::Release);
    }

    /// A clock that is set by itself: of one device, until that is lost.
    pub(crate) fn new_clock(&self) -> usize {
        self.clocks.made.fetch_add(1, Ordering::Relaxed).min(CLOCKS - 1)
    }

    /// A result was there at `seen`, and by its own clock the device had ended it at `end`.
    pub(crate) fn set_clock(&self, clock: usize, seen: Moment, end: Duration) {
        let ahead = difference(seen.nanos(), nanos(end));
        self.clocks.ahead[clock].fetch_min(ahead, Ordering::Relaxed);
    }

    /// Spans that had no room.
    pub(crate) fn lost(&self) -> u64 {
        self.next.load(Ordering::Relaxed).saturating_sub(self.places.len()) as u64
    }

    pub(crate) fn room(&self) -> usize {
        self.places.len()
    }

    /// What was recorded so far, with all times on the run's clock.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let written = self.next.load(Ordering::Relaxed).min(self.places.len());
        let read = |place: &[AtomicU64; 4]| {
            let head = place[3].load(Ordering::Acquire);
            let [start, end, first] = [0, 1, 2].map(|word: usize| place[word].load(Ordering::Relaxed));
            Span::read([start, end, first, head]).map(|span| self.clocks.place(span))
        };
        self.places[..written].iter().filter_map(read).collect()
    }
}

/// How the clocks of devices are set against the run's.
///
/// The law: a result cannot be seen before the device has ended it. So each clock is ahead of the run's by
/// at most what stood between the two at any result, and the least of these is taken: the result that was
/// seen soonest. Then no batch ends later than it was collected. That two clocks drift apart is not corrected.
#[derive(Debug)]
struct Clocks {
    made: AtomicUsize,
    ahead: [AtomicI64; CLOCKS],
}

impl Default for Clocks {
    fn default() -> Self {
        Self { made: AtomicUsize::new(0), ahead: [0; CLOCKS].map(|_: i64| AtomicI64::new(i64::MAX)) }
    }
}

impl Clocks {
    fn place(&self, mut span: Span) -> Span {
        if span.kind.by_device() {
            let ahead = self.ahead[usize::from(span.lane).min(CLOCKS - 1)].load(Ordering::Relaxed);
            let on_host = |time: u64| time.saturating_add_signed(if ahead == i64::MAX { 0 } else { ahead });
            (span.start, span.end) = (on_host(span.start), on_host(span.end));
        }
        span
    }
}

fn difference(one: u64, other: u64) -> i64 {
    i64::try_from(i128::from(one) - i128::from(other)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Moment {
        Moment::at(Duration::from_micros(micros))
    }

    fn micros(start: u64, end: u64) -> (Moment, Moment) {
        (at(start), at(end))
    }

    fn span(kind: Kind, (start, end): (Moment, Moment)) -> Span {
        Span::new(kind, start, end)
    }

    #[test]
    fn what_was_recorded_comes_back_as_it_was() {
        let recorder = Recorder::new(Recording::from(100)).expect("there is room");
        let spans: Vec<Span> = Kind::ALL
            .into_iter()
            .filter(|kind| !kind.by_device())
            .map(|kind| span(kind, micros(3, 5)).about(u64::MAX, 7).on_device(200).in_lane(60_000))
            .collect();
        spans.iter().for_each(|span| recorder.add(*span));
        assert_eq!(recorder.spans(), spans);
        assert_eq!(size_of_val(&recorder.places[0]), 32, "as the setting says");
    }

    #[test]
    fn what_has_no_room_is_counted_and_left_out() {
        let recorder = Recorder::new(Recording::from(2)).expect("there is room");
        for start in 0..5 {
            recorder.add(span(Kind::Source, micros(start, start)));
        }
        assert_eq!((recorder.spans().len(), recorder.lost()), (2, 3));
    }

    #[test]
    fn nothing_is_recorded_unless_asked_for() {
        assert!(Recorder::new(Recording::default()).is_none());
        assert!(Recorder::new(Recording::from(false)).is_none());
    }

    #[test]
    fn the_clock_of_a_device_is_set_by_the_result_that_was_seen_soonest() {
        let recorder = Recorder::new(Recording::from(9)).expect("there is room");
        let clock = recorder.new_clock();
        // By its own clock, which is 1,000 us ahead, the device ended at 1,010 and 1,020.
        recorder.set_clock(clock, at(17), Duration::from_micros(1_010));
        recorder.set_clock(clock, at(21), Duration::from_micros(1_020));
        recorder.add(span(Kind::OnDevice, micros(1_002, 1_010)).in_lane(clock));
        let placed = recorder.spans()[0];
        assert_eq!((placed.start, placed.end), (3_000, 11_000), "the second was seen 1 us after its end");
    }
}
