//! What a run recorded of itself, to be written as a trace or drawn.

mod chart;
mod picture;
mod trace;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::record::{Kind, Recorder, Span};
use crate::moment::nanos;

/// Who did what when in a run: what [`Pipeline::trace`](crate::Pipeline::trace) had recorded so far, from
/// [`Run::timeline`](crate::Run::timeline). Of several halves in a row it has all that were recorded.
///
/// ```
/// use gapless::{Cause, Pipeline, Timeline};
/// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
/// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
/// let mut run = Pipeline::new(cpu, gpu).workers(2).trace(true).run(0..100);
/// run.by_ref().try_for_each(|batch| batch.map(drop))?;
/// let timeline = run.timeline()?;
/// let mut trace = Vec::new();
/// timeline.write_trace(&mut trace).unwrap();
/// assert!(timeline.svg().starts_with("<svg"));
/// assert_eq!(timeline.left_out(), 0);
/// # Ok::<(), gapless::Error>(())
/// ```
#[derive(Clone)]
pub struct Timeline {
    /// By their start; what lies within another after that.
    spans: Vec<Span>,
    facts: Facts,
    /// Of the halves before, in order, by the same clock.
    before: Vec<Timeline>,
}

/// What is known of a run besides its spans.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// 0 where the caller did their work.
    pub(crate) workers: usize,
    pub(crate) devices: Vec<DeviceFacts>,
    /// Seconds that it took so far.
    pub(crate) wall_s: f64,
    /// Seconds that any schedule would have taken.
    pub(crate) bound_s: f64,
    /// Spans that had no room, and room that there was.
    pub(crate) left_out: u64,
    pub(crate) room: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct DeviceFacts {
    pub(crate) name: String,
    pub(crate) kernels: Vec<String>,
}

impl Timeline {
    pub(crate) fn new(recorder: &Recorder, facts: Facts) -> Self {
        let mut spans = recorder.spans();
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.kind));
        keep_apart(&mut spans);
        let facts = Facts { left_out: recorder.lost(), room: recorder.room(), ..facts };
        Self { spans, facts, before: Vec::new() }
    }

    /// The same as the half behind others, which began so much earlier.
    pub(crate) fn behind(mut self, mut before: Self, later: Duration) -> Self {
        for span in &mut self.spans {
            span.start = span.start.saturating_add(nanos(later));
            span.end = span.end.saturating_add(nanos(later));
        }
        self.facts.wall_s += later.as_secs_f64();
        self.before = std::mem::take(&mut before.before);
        self.before.push(before);
        self
    }

    /// All halves, in order.
    fn halves(&self) -> impl Iterator<Item = &Self> {
        self.before.iter().chain([self])
    }

    /// Spans that had no room in the memory of the recording, and so are missing. 0: it is complete.
    pub fn left_out(&self) -> u64 {
        self.halves().map(|half| half.facts.left_out).sum()
    }

    /// The same with all times this many times as long: for a run that was made at a fraction of its time.
    pub fn scaled(mut self, factor: f64) -> Self {
        let scale = |time: &mut u64| *time = (*time as f64 * factor) as u64;
        for span in &mut self.spans {
            scale(&mut span.start);
            scale(&mut span.end);
        }
        self.facts.wall_s *= factor;
        self.facts.bound_s *= factor;
        self.before = self.before.into_iter().map(|half| half.scaled(factor)).collect();
        self
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(move |span| span.kind == kind)
    }

    /// When the device worked on each batch, as the engine saw it: a batch that was submitted before the one
    /// before it was done begins when that is done.
    fn served(&self) -> Vec<Served> {
        let mut flights: Vec<&Span> = self.of(Kind::InFlight).collect();
        flights.sort_by_key(|span| (span.end, span.start));
        let mut free = BTreeMap::new();
        let serve = |span: &Span| {
            let free = free.entry(span.device).or_insert(0);
            let time = span.start.max(*free)..span.end;
            *free = span.end;
            Served { device: usize::from(span.device), batch: span.first, time }
        };
        flights.into_iter().map(serve).collect()
    }
}

/// A batch on its device.
struct Served {
    device: usize,
    batch: u64,
    time: Range<u64>,
}

/// A device that begins to write the times of one batch before those of the last one are written would seem to
/// do two at once; and clocks that are set against each other leave a rest. A batch begins when the one before
/// it has ended, and its kernels lie within it, one after the other.
fn keep_apart(spans: &mut [Span]) {
    let mut devices: BTreeMap<u8, (Range<u64>, u64)> = BTreeMap::new();
    for span in spans.iter_mut().filter(|span| span.kind.by_device()) {
        let (batch, free) = devices.entry(span.device).or_default();
        if span.kind == Kind::OnDevice {
            span.start = span.start.max(batch.end);
            span.end = span.end.max(span.start);
            (*batch, *free) = (span.start..span.end, span.start);
        } else {
            span.start = span.start.clamp(*free, batch.end);
            span.end = span.end.clamp(span.start, batch.end);
            *free = span.end;
        }
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline")
            .field("spans", &self.spans.len())
            .field("facts", &self.facts)
            .field("before", &self.before)
            .finish()
    }
}
