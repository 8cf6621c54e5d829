//! The experiment that started it, with sleeping halves: 144 s in turns, 129 s overlapped, and below.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gapless::{Cause, Error, Pipeline, Run, Timeline};
use serde_json::{Value, json};

use crate::console::Console;
use crate::options::Options;
use crate::record::Record;
use crate::terminal::Problem;

const DOCUMENTS: usize = 1024;
/// Seconds of one worker for a document: 1 s for a batch of 16.
const CPU: f64 = 1.0 / 16.0;
/// Seconds of the device for a document: 2 s for a batch of 16, no launch cost.
const GPU: f64 = 2.0 / 16.0;

/// One way of running the two halves.
struct Way {
    name: &'static str,
    what: &'static str,
    ideal: f64,
    run: fn(&Halves) -> Run<usize, ()>,
}

/// Costs at the scale of this run, and the settings.
struct Halves {
    cpu: Duration,
    gpu: Duration,
    batch_size: usize,
    workers: usize,
    /// Whether the runs are recorded.
    record: bool,
}

pub(crate) fn measure(options: &Options, console: &Console, record: &Record) -> Result<Value, Problem> {
    let halves = Halves { record: record.wanted(), ..Halves::new(options) };
    let ways = ways(&halves);
    let bound = ways.iter().map(|way| way.ideal).fold(f64::INFINITY, f64::min);
    console.say(&headline(options, &halves))?;
    let (mut rows, mut recorded) = (Vec::new(), BTreeMap::new());
    for way in ways {
        let (seconds, timeline) = time(&way, &halves)?;
        let seconds = seconds * options.scale;
        let Way { name, what, ideal, .. } = way;
        timeline.into_iter().for_each(|timeline| drop(recorded.insert(name, timeline)));
        console.say(&format!("  {name:<13}{seconds:>8.2} s   ideal {ideal:>8.4} s   {what}"))?;
        rows.push(json!({ "way": name, "seconds": seconds, "ideal": ideal }));
    }
    if let (Some(sequential), Some(overlapped)) =
        (recorded.remove("sequential"), recorded.remove("per_document"))
    {
        record.write(sequential, overlapped, options.scale)?;
    }
    Ok(json!({
        "scale": whole(options.scale), "documents": DOCUMENTS, "batch_size": halves.batch_size,
        "workers": halves.workers, "bound": bound, "rows": rows,
    }))
}

/// A number without a fraction is written without one.
fn whole(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as u64) } else { json!(number) }
}

fn headline(options: &Options, halves: &Halves) -> String {
    let pace = match options.scale {
        1.0 => "in real time".into(),
        scale if scale > 1.0 => format!("run at 1/{scale} of the time"),
        scale => format!("run at {:.1} times the time", 1.0 / scale),
    };
    format!(
        "{DOCUMENTS} documents, batches of {batch}, {workers} workers at {CPU} s a document, a device at {GPU} s a \
         document ({pace})\n\
         In every row the device's time grows with the batch and a call costs nothing: {full} s for a full one.{ramp}",
        batch = halves.batch_size,
        workers = halves.workers,
        full = GPU * halves.batch_size as f64,
        ramp = if halves.batch_size == 16 { LITERAL } else { "" },
    )
}

/// The other reading of the experiment, for batches of 16: 4 short calls and 64 more, 2 s each.
const LITERAL: &str = "\nWere a call 2 s whatever its size, the small first batches of the ramp would cost more than \
                       they gain: 136 s.";

/// The rows, with the best that each way can reach while the device is the bottleneck.
fn ways(halves: &Halves) -> Vec<Way> {
    let (batch, workers) = (halves.batch_size as f64, halves.workers as f64);
    let device = DOCUMENTS as f64 * GPU;
    let row = |name, what, fill, run| Way { name, what, ideal: fill + device, run };
    let all_cpu = DOCUMENTS as f64 * CPU / workers;
    vec![
        row("sequential", "all CPU, then all GPU", all_cpu, sequential as fn(&Halves) -> Run<usize, ()>),
        row("per_batch", "overlapped, a batch is one opaque CPU call", batch * CPU, per_batch),
        row("per_document", "overlapped, document by document", (batch / workers).ceil() * CPU, per_document),
        row("ramp", "the same, first batches of 1, 2, 4, … documents", CPU, ramp),
    ]
}

fn sequential(halves: &Halves) -> Run<usize, ()> {
    documents(halves).run_sequential(0..DOCUMENTS)
}

fn per_document(halves: &Halves) -> Run<usize, ()> {
    documents(halves).run(0..DOCUMENTS)
}

fn ramp(halves: &Halves) -> Run<usize, ()> {
    documents(halves).ramp(true).run(0..DOCUMENTS)
}

fn per_batch(halves: &Halves) -> Run<usize, ()> {
    let Halves { cpu, gpu, batch_size, workers, .. } = *halves;
    let prepare = move |batch: &mut Vec<usize>| {
        pass(cpu * batch.len() as u32);
        Ok::<usize, Cause>(batch.len())
    };
    let device = move |batch: &[usize]| {
        pass(gpu * batch[0] as u32);
        Ok::<(), Cause>(())
    };
    Pipeline::per_batch(prepare, device)
        .batch_size(batch_size)
        .workers(workers)
        .progress_bar()
        .run(0..DOCUMENTS)
}

/// Both halves document by document.
fn documents(halves: &Halves) -> Pipeline<usize, Prepare, Device> {
    Pipeline::new(Prepare(halves.cpu), Device(halves.gpu))
        .batch_size(halves.batch_size)
        .workers(halves.workers)
        .trace(halves.record)
        .progress_bar()
}

struct Prepare(Duration);

impl gapless::CpuStage<usize> for Prepare {
    type Prepared = ();

    fn prepare(&self, _: &mut usize) -> Result<(), Cause> {
        pass(self.0);
        Ok(())
    }
}

struct Device(Duration);

impl gapless::GpuStage<()> for Device {
    type Output = ();
    type Ticket = ();

    fn submit(&mut self, batch: &[()]) -> Result<(), gapless::StageError> {
        pass(self.0 * batch.len() as u32);
        Ok(())
    }

    fn try_collect(&mut self, (): &mut (), _: Duration) -> Result<Option<()>, gapless::StageError> {
        Ok(Some(()))
    }
}

#[expect(clippy::disallowed_methods, reason = "a synthetic cost")]
fn pass(time: Duration) {
    std::thread::sleep(time);
}

/// Seconds until every document is out, with start and end of the threads; and what was recorded.
fn time(way: &Way, halves: &Halves) -> Result<(f64, Option<Timeline>), Error> {
    let start = Instant::now();
    let mut seen = 0;
    let mut run = (way.run)(halves);
    for batch in run.by_ref() {
        seen += batch?.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(seen, DOCUMENTS, "every document came out");
    Ok((seconds, run.timeline().ok()))
}

impl Halves {
    fn new(options: &Options) -> Self {
        Self {
            cpu: Duration::from_secs_f64(CPU / options.scale),
            gpu: Duration::from_secs_f64(GPU / options.scale),
            batch_size: options.batch_size,
            workers: options.workers.unwrap_or(4),
            record: false,
        }
    }
}
