//! What a run records of itself, under manual time: the file that is written, and the picture that is drawn.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde_json::Value;

use super::fake::{Doc, FakeDevice, PerDoc, Setup, docs, take};
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::{AsItIs, Then};
use crate::engine::seam::{Seam, manual::World};
use crate::engine::settings::{Common, Settings, WorkerCount};
use crate::observe::record::Recording;
use crate::observe::timeline::Timeline;

const SECOND: Duration = Duration::from_secs(1);

type Plain = Caller<PerDoc<AsItIs>>;

/// Four workers at 1/16 s a document, a device at 1/8 s.
fn experiment(world: &World, depth: usize, sequential: bool) -> Setup {
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, depth, Duration::ZERO, SECOND / 8);
    Setup { devices: vec![device], seam, cpu_cost: SECOND / 16, begins_futures: false, sequential }
}

fn settings(recording: impl Into<Recording>) -> Settings {
    Settings {
        common: Common { workers: WorkerCount::Exactly(4), recording: recording.into(), ..Common::default() },
        ..Settings::default()
    }
}

fn ended(setup: Setup, settings: Settings, documents: u64) -> Plain {
    let mut run = setup.start(AsItIs(()), settings, docs(documents)).expect("these settings can work");
    take(&mut run, usize::MAX);
    run
}

fn recorded(depth: usize, sequential: bool, documents: u64) -> (Plain, Timeline) {
    let world = World::new();
    let _this_thread = world.enter();
    let run = ended(experiment(&world, depth, sequential), settings(true), documents);
    let timeline = run.timeline().expect("it is recorded");
    (run, timeline)
}

/// Name, times in nanoseconds and arguments of a span.
type Event = (String, Range<u64>, Value);

/// A trace, checked against the format.
struct Trace {
    /// The spans of each track, by the names of process and thread.
    tracks: BTreeMap<(String, String), Vec<Event>>,
    /// Times and values of each counter.
    counters: BTreeMap<String, Vec<(u64, u64)>>,
    other: Value,
}

impl Trace {
    fn of(timeline: &Timeline) -> Self {
        let mut text = Vec::new();
        timeline.write_trace(&mut text).expect("memory can be written");
        let file: Value = serde_json::from_slice(&text).expect("it is JSON");
        let events = file["traceEvents"].as_array().expect("it has events");
        let names = |what: &str| -> BTreeMap<(u64, u64), String> {
            let named = events.iter().filter(|event| event["ph"] == "M" && event["name"] == what);
            named.map(|event| (place(event), text_of(&event["args"]["name"]))).collect()
        };
        let (processes, threads) = (names("process_name"), names("thread_name"));
        let mut trace =
            Self { tracks: BTreeMap::new(), counters: BTreeMap::new(), other: file["otherData"].clone() };
        for event in events {
            match event["ph"].as_str() {
                Some("X") => {
                    let (process, thread) = place(event);
                    let track = (processes[&(process, 0)].clone(), threads[&(process, thread)].clone());
                    let start = nanos(&event["ts"]);
                    let span =
                        (text_of(&event["name"]), start..start + nanos(&event["dur"]), event["args"].clone());
                    trace.tracks.entry(track).or_default().push(span);
                }
                Some("C") => {
                    let value = event["args"]["items"].as_u64().expect("a counter has a number");
                    let counter = trace.counters.entry(text_of(&event["name"])).or_default();
                    counter.push((nanos(&event["ts"]), value));
                }
                Some("M") => assert!(event["args"].is_object(), "{event}"),
                other => panic!("{other:?} is no phase that is written here: {event}"),
            }
        }
        trace.tracks.values().for_each(|spans| apart_or_nested(spans));
        trace
    }

    fn track(&self, process: &str, thread: &str) -> &[Event] {
        self.tracks.get(&(process.into(), thread.into())).map_or(&[], Vec::as_slice)
    }

    /// The sum of an argument over all spans of this name.
    fn sum(&self, name: &str, argument: &str) -> u64 {
        let spans = self.tracks.values().flatten().filter(|(other, ..)| other == name);
        spans.filter_map(|(.., args)| args[argument].as_u64()).sum()
    }
}

fn place(event: &Value) -> (u64, u64) {
    let number = |name: &str| event[name].as_u64().unwrap_or_else(|| panic!("{name} is missing: {event}"));
    (number("pid"), number("tid"))
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn nanos(micros: &Value) -> u64 {
    (micros.as_f64().expect("a time is a number") * 1000.0).round() as u64
}

/// Of two spans of a track one ends before the other begins, or lies within it.
fn apart_or_nested(spans: &[Event]) {
    let mut open: Vec<&Range<u64>> = Vec::new();
    for (name, time, _) in spans {
        while open.last().is_some_and(|outer| outer.end <= time.start) {
            open.pop();
        }
        if let Some(outer) = open.last() {
            assert!(time.end <= outer.end && outer.start <= time.start, "{name} {time:?} overlaps {outer:?}");
        }
        open.push(time);
    }
}

#[test]
fn a_trace_shows_every_document_and_every_batch_once() {
    let (run, timeline) = recorded(1, false, 64);
    let trace = Trace::of(&timeline);
    let accounts = run.report().accounts;
    assert_eq!(trace.sum("source", "items"), accounts.pulled);
    assert_eq!(trace.sum("prepare", "items"), accounts.delivered);
    for name in ["submit", "collect"] {
        assert_eq!(trace.sum(name, "items"), accounts.delivered, "{name}");
    }
    let batches: Vec<_> =
        trace.track("closure", "slot 0").iter().map(|(name, time, _)| (&name[..], time)).collect();
    let at = |quarters: u64| quarters * 250_000_000;
    let expected = [("batch 0", 1), ("batch 1", 9), ("batch 2", 17), ("batch 3", 25)];
    assert_eq!(batches.len(), 4);
    for ((name, time), (expected, start)) in batches.into_iter().zip(expected) {
        assert_eq!((name, time), (expected, &(at(start)..at(start + 8))));
    }
    for worker in 0..4 {
        let spans = trace.track("gapless", &format!("worker {worker}"));
        assert_eq!(spans.len(), 16, "each of four workers prepares a quarter, one document a group");
    }
    assert_eq!(trace.other["left_out"], 0);
}

#[test]
fn a_trace_shows_who_waits_and_how_full_the_line_is() {
    let world = World::new();
    let _this_thread = world.enter();
    let settings = settings(true).told(|common| common.ahead = Some(2));
    let run = ended(experiment(&world, 1, false), settings, 160);
    let trace = Trace::of(&run.timeline().expect("it is recorded"));
    let length = |name: &str, thread: &str| -> u64 {
        let spans = trace.track("gapless", thread).iter().filter(|(other, ..)| other == name);
        spans.map(|(_, time, _)| time.end - time.start).sum()
    };
    let waits = run.report().waits;
    assert_eq!(length("wait for a token", "feeder"), (waits.feeder_for_token_s * 1e9) as u64);
    assert_eq!(length("wait for a result", "caller"), (waits.caller_for_result_s * 1e9) as u64);
    let most = |name: &str| trace.counters[name].iter().map(|(_, value)| *value).max();
    assert_eq!(most("tokens"), Some(run.report().peak_in_flight as u64));
    assert!(most("line") < Some(16), "a full batch stands there no longer");
    assert_eq!(trace.counters["tokens"].last().map(|(_, value)| *value), Some(0));
}

#[test]
fn batches_in_flight_together_have_a_slot_each() {
    let (_, timeline) = recorded(3, false, 160);
    let trace = Trace::of(&timeline);
    let slots = [0, 1, 2].map(|slot| trace.track("closure", &format!("slot {slot}")).len());
    assert_eq!(slots.iter().sum::<usize>(), 10);
    assert!(slots.iter().all(|batches| *batches > 0), "{slots:?}");
}

#[test]
fn rows_after_the_device_are_on_the_workers() {
    let world = World::new();
    let _this_thread = world.enter();
    let after = Then(|_: &mut Doc, row: &u64| *row);
    let setup = experiment(&world, 1, false);
    let mut run = setup.start::<PerDoc<Then<_>>>(after, settings(true), docs(32)).expect("it can work");
    take(&mut run, usize::MAX);
    let trace = Trace::of(&run.timeline().expect("it is recorded"));
    assert_eq!(trace.sum("then", "items"), 32);
}

#[test]
fn a_run_that_is_longer_than_its_recording_says_what_is_missing() {
    let world = World::new();
    let _this_thread = world.enter();
    let run = ended(experiment(&world, 1, false), settings(50), 64);
    let timeline = run.timeline().expect("it is recorded");
    let trace = Trace::of(&timeline);
    assert_eq!((trace.other["spans"].as_u64(), trace.other["room"].as_u64()), (Some(50), Some(50)));
    assert!(timeline.left_out() > 0 && trace.other["left_out"] == timeline.left_out());
}

#[test]
fn a_run_that_is_not_recorded_has_no_timeline() {
    let world = World::new();
    let _this_thread = world.enter();
    assert!(ended(experiment(&world, 1, false), settings(false), 16).timeline().is_none());
}

/// What stands in a picture as a title.
fn titles(picture: &str) -> Vec<&str> {
    picture
        .split("class=\"h\"")
        .skip(1)
        .filter_map(|rest| Some(&rest[rest.find('>')? + 1..rest.find("</text>")?]))
        .collect()
}

/// Every element is closed, in order, and nothing stands open in the text.
fn is_well_formed(picture: &str) {
    let mut open = Vec::new();
    for tag in picture.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains('&') && tag.matches('"').count() % 2 == 0, "<{tag}>{text}");
        let name = tag.split_whitespace().next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_picture_shows_both_ways_with_their_times() {
    let (_, timeline) = recorded(1, false, 1024);
    let picture = timeline.svg();
    is_well_formed(&picture);
    assert_eq!(
        titles(&picture),
        ["One after the other: 144 s", "Overlapped: 128.25 s, 0.89 of it, bound 128.06 s"]
    );
    for row in ["worker 0", "worker 3", "device"] {
        assert_eq!(picture.matches(&format!(">{row}<")).count(), 2, "{row} is in both charts");
    }
    assert!(picture.contains("device busy 100 %") && picture.contains("prefers-color-scheme:dark"));
    assert!((4_000..40_000).contains(&picture.len()), "{} bytes", picture.len());
}

#[test]
fn what_is_worked_out_is_what_a_sequential_run_does() {
    let ((_, sequential), (_, overlapped)) = (recorded(1, true, 256), recorded(1, false, 256));
    let (worked_out, measured) = (overlapped.svg(), Timeline::compare(&sequential, &overlapped));
    assert_eq!(titles(&worked_out), titles(&measured));
    is_well_formed(&measured);
}

#[test]
fn a_run_at_a_fraction_of_its_time_is_drawn_in_its_own() {
    let (_, timeline) = recorded(1, false, 64);
    let picture = timeline.scaled(2.0).svg();
    assert_eq!(
        titles(&picture),
        ["One after the other: 18 s", "Overlapped: 16.5 s, 0.92 of it, bound 16.125 s"]
    );
}

#[test]
fn a_picture_of_many_spans_stays_small() {
    let world = World::new();
    let _this_thread = world.enter();
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, 1, SECOND / 100, Duration::ZERO);
    let setup = Setup {
        devices: vec![device],
        seam,
        cpu_cost: SECOND / 1000,
        begins_futures: false,
        sequential: false,
    };
    let settings =
        Settings { batch_size: 7, ..settings(true).told(|common| common.workers = WorkerCount::Exactly(8)) };
    let picture = ended(setup, settings, 20_000).timeline().expect("it is recorded").svg();
    is_well_formed(&picture);
    assert!(picture.len() <= 40_000, "{} bytes", picture.len());
}
