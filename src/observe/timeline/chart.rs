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

impl Chart {
    /// The run as it was recorded.
    pub(super) fn of(timeline: &Timeline) -> Self {
        let is_work = |span: &&Span| matches!(span.kind, Kind::Prepare | Kind::Then);
        let unit =
            |span: &Span| Unit { worker: usize::from(span.lane), time: seconds(&(span.start..span.end)) };
        let units = timeline.spans.iter().filter(is_work).map(unit).collect();
        let batches = timeline.served().iter().map(|served| (served.device, seconds(&served.time))).collect();
        let mut chart = Self::new(timeline, units, batches, timeline.facts.wall_s);
        chart.bound = Some(timeline.facts.bound_s);
        chart
    }

    /// The same work one half after the other, as `run_sequential` would do it: all preparation, packed on the
    /// workers; then every batch, one after the other on one device, with `then` on its rows meanwhile.
    pub(super) fn in_turns(timeline: &Timeline) -> Self {
        let mut free = vec![0.0; timeline.facts.workers.max(1)];
        let mut units: Vec<Unit> =
            timeline.of(Kind::Prepare).map(|span| pack(&mut free, 0.0, span)).collect();
        let mut now = units.iter().map(|unit| unit.time.end).fold(0.0, f64::max);
        let mut served = timeline.served();
        served.sort_by_key(|served| (served.batch, served.time.start));
        let mut batches = Vec::new();
        for Served { batch, time, .. } in served {
            let end = now + length(&seconds(&time));
            batches.push((0, now..end));
            let rows = timeline.of(Kind::Then).filter(|span| span.first == batch);
            units.extend(rows.map(|span| pack(&mut free, end, span)));
            now = end;
        }
        let end = units.iter().map(|unit| unit.time.end).fold(now, f64::max);
        Self::new(timeline, units, batches, end)
    }

    fn new(timeline: &Timeline, units: Vec<Unit>, batches: Vec<(usize, Range<f64>)>, end: f64) -> Self {
        let workers = timeline.facts.workers.max(1);
        let devices = batches.iter().map(|(device, _)| device + 1).max().unwrap_or(0);
        let work: f64 = units.iter().map(|unit| length(&unit.time)).sum();
        let on_device: f64 = batches.iter().map(|(_, time)| length(time)).sum();
        let share =
            |work: f64, lanes: usize| if end > 0.0 { work / (end * lanes.max(1) as f64) } else { 0.0 };
        let mut rows = worker_rows(units, workers);
        rows.extend((0..devices).map(|device| device_row(&batches, device, devices)));
        Self {
            rows,
            end,
            bound: None,
            cpu_busy: share(work, workers).min(1.0),
            gpu_busy: share(on_device, devices).min(1.0),
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
