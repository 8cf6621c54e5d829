//! What is drawn of a run: rows of spans, in seconds.

use std::ops::Range;

use super::{Served, Timeline};
use crate::observe::record::{Kind, Span};

/// More workers are drawn as one row: how many of them worked.
const MOST_WORKER_ROWS: usize = 8;

/// One run over time.
pub(super) struct Chart {
    pub(super) rows: Vec<Row>,
    /// When it was over.
    pub(super) end: f64,
    /// The best that any schedule could reach, where that is worth saying.
    pub(super) bound: Option<f64>,
    pub(super) cpu_busy: f64,
    pub(super) gpu_busy: f64,
}

pub(super) struct Row {
    pub(super) label: String,
    pub(super) is_device: bool,
    /// Of how many lanes the spans are.
    pub(super) lanes: usize,
    /// In two kinds, which are drawn so that neighbours can be told apart.
    pub(super) spans: [Vec<Range<f64>>; 2],
}

fn seconds(time: &Range<u64>) -> Range<f64> {
    time.start as f64 / 1e9..time.end as f64 / 1e9
}

fn length(time: &Range<f64>) -> f64 {
    time.end - time.start
}

/// A unit of a worker's time.
struct Unit {
    worker: usize,
    time: Range<f64>,
}

/// What was done in one half.
struct Work {
    workers: usize,
    units: Vec<Unit>,
    /// Each with its device.
    batches: Vec<(usize, Range<f64>)>,
}

impl Work {
    /// As it was recorded.
    fn of(half: &Timeline) -> Self {
        let is_work = |span: &&Span| matches!(span.kind, Kind::Prepare | Kind::Then);
        let unit =
            |span: &Span| Unit { worker: usize::from(span.lane), time: seconds(&(span.start..span.end)) };
        let batches = half.served().into_iter().map(|served| (served.device, seconds(&served.time)));
        Self {
            workers: half.facts.workers.max(1),
            units: half.spans.iter().filter(is_work).map(unit).collect(),
            batches: batches.collect(),
        }
    }

    /// One half of it after the other from then on, and when it ends: all preparation, packed on the workers; then
    /// every batch, one after the other on one device, with `then` on its rows meanwhile.
    fn in_turns(half: &Timeline, start: f64) -> (Self, f64) {
        let workers = half.facts.workers.max(1);
        let mut free = vec![start; workers];
        let mut units: Vec<Unit> = half.of(Kind::Prepare).map(|span| pack(&mut free, start, span)).collect();
        let mut now = units.iter().map(|unit| unit.time.end).fold(start, f64::max);
        let mut served = half.served();
        served.sort_by_key(|served| (served.batch, served.time.start));
        let mut batches = Vec::new();
        for Served { batch, time, .. } in served {
            let end = now + length(&seconds(&time));
            batches.push((0, now..end));
            let rows = half.of(Kind::Then).filter(|span| span.first == batch);
            units.extend(rows.map(|span| pack(&mut free, end, span)));
            now = end;
        }
        let end = units.iter().map(|unit| unit.time.end).fold(now, f64::max);
        (Self { workers, units, batches }, end)
    }

    fn devices(&self) -> usize {
        self.batches.iter().map(|(device, _)| device + 1).max().unwrap_or(0)
    }

    /// Seconds of the workers, and of the devices.
    fn seconds(&self) -> (f64, f64) {
        let of_workers = self.units.iter().map(|unit| length(&unit.time)).sum();
        (of_workers, self.batches.iter().map(|(_, time)| length(time)).sum())
    }

    fn into_rows(self) -> Vec<Row> {
        let devices = self.devices();
        let mut rows = worker_rows(self.units, self.workers);
        rows.extend((0..devices).map(|device| device_row(&self.batches, device, devices)));
        rows
    }
}

impl Chart {
    /// The run as it was recorded.
    pub(super) fn of(timeline: &Timeline) -> Self {
        let bound = timeline.halves().map(|half| half.facts.bound_s).fold(0.0, f64::max);
        let halves = timeline.halves().map(Work::of).collect();
        Self { bound: Some(bound), ..Self::new(halves, timeline.facts.wall_s) }
    }

    /// The same work one half after the other, as `run_sequential` would do it.
    pub(super) fn in_turns(timeline: &Timeline) -> Self {
        let mut end = 0.0;
        let turn = |half| {
            let (work, ended) = Work::in_turns(half, end);
            end = ended;
            work
        };
        let halves = timeline.halves().map(turn).collect();
        Self::new(halves, end)
    }

    fn new(halves: Vec<Work>, end: f64) -> Self {
        let busy = |seconds: fn(&Work) -> f64, lanes: fn(&Work) -> usize| {
            let (seconds, lanes): (f64, usize) =
                (halves.iter().map(seconds).sum(), halves.iter().map(lanes).sum());
            if end > 0.0 { (seconds / (end * lanes.max(1) as f64)).min(1.0) } else { 0.0 }
        };
        let cpu_busy = busy(|half| half.seconds().0, |half| half.workers);
        let gpu_busy = busy(|half| half.seconds().1, Work::devices);
        let several = halves.len() > 1;
        let labelled = |(place, half): (usize, Work)| {
            let mut rows = half.into_rows();
            if several {
                rows.iter_mut().for_each(|row| row.label = format!("{}: {}", place + 1, row.label));
            }
            rows
        };
        Self {
            rows: halves.into_iter().enumerate().flat_map(labelled).collect(),
            end,
            bound: None,
            cpu_busy,
            gpu_busy,
        }
    }
}

/// Gives the work of a span to the worker that is free first, not before it can begin.
fn pack(free: &mut [f64], ready: f64, span: &Span) -> Unit {
    let first = free.iter().enumerate().min_by(|(_, one), (_, other)| one.total_cmp(other));
    let worker = first.map_or(0, |(worker, _)| worker);
    let start = free[worker].max(ready);
    let end = start + length(&seconds(&(span.start..span.end)));
    free[worker] = end;
    Unit { worker, time: start..end }
}

fn worker_rows(units: Vec<Unit>, workers: usize) -> Vec<Row> {
    let together = workers > MOST_WORKER_ROWS;
    let count = if together { 1 } else { workers };
    let label = |row| if together { format!("{workers} workers") } else { format!("worker {row}") };
    let row = |row| Row {
        label: label(row),
        is_device: false,
        lanes: if together { workers } else { 1 },
        spans: Default::default(),
    };
    let mut rows: Vec<Row> = (0..count).map(row).collect();
    for Unit { worker, time } in units {
        rows[worker.min(count - 1)].spans[0].push(time);
    }
    rows
}

fn device_row(batches: &[(usize, Range<f64>)], device: usize, devices: usize) -> Row {
    let label = if devices == 1 { "device".into() } else { format!("device {device}") };
    let mut spans: [Vec<_>; 2] = Default::default();
    let own = batches.iter().filter(|(other, _)| *other == device);
    own.enumerate().for_each(|(place, (_, time))| spans[place % 2].push(time.clone()));
    Row { label, is_device: true, lanes: 1, spans }
}
