//! The experiment that started it, with sleeping halves: 144 s in turns, 129 s overlapped, and below.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use gapless::{Cause, Error, Pipeline, Run};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::options::Options;
use crate::{Failure, say};

const DOCUMENTS: usize = 1024;
/// Seconds of one worker for a document: 1 s for a batch of 16.
const CPU: f64 = 1.0 / 16.0;
/// Seconds of the device for a document: 2 s for a batch of 16, no launch cost. Under the seed's
/// literal 2 s a call, the small first batches of the ramp would cost more than they gain.
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
    bar: ProgressBar,
}

pub(crate) fn measure(options: &Options) -> Result<Value, Failure> {
    let halves = Halves::new(options);
    let ways = ways(&halves);
    let bound = ways.iter().map(|way| way.ideal).fold(f64::INFINITY, f64::min);
    say(options, &headline(options, &halves));
    let mut rows = Vec::new();
    for way in ways {
        let seconds = time((way.run)(&halves))? * options.scale;
        let Way { name, what, ideal, .. } = way;
        say(options, &format!("  {name:<13}{seconds:>9.2} s   ideal {ideal:>8.2} s   {what}"));
        rows.push(json!({ "way": name, "seconds": seconds, "ideal": ideal }));
    }
    halves.bar.finish_and_clear();
    Ok(json!({
        "scale": options.scale, "documents": DOCUMENTS, "batch_size": halves.batch_size,
        "workers": halves.workers, "bound": bound, "rows": rows,
    }))
}

fn headline(options: &Options, halves: &Halves) -> String {
    format!(
        "{DOCUMENTS} documents, batches of {}, {} workers at {CPU} s a document, a device at {GPU} s a document \
         (run at 1/{} of the time)",
        halves.batch_size, halves.workers, options.scale
    )
}

/// The rows, with the best that each way can reach while the device is the bottleneck.
fn ways(halves: &Halves) -> Vec<Way> {
    let (batch, workers) = (halves.batch_size as f64, halves.workers.max(1) as f64);
    let device = DOCUMENTS as f64 * GPU;
    let row = |name, what, fill, run| Way { name, what, ideal: fill + device, run };
    let all_cpu = DOCUMENTS as f64 * CPU / workers;
    vec![
        row("sequential", "all CPU, then all GPU", all_cpu, sequential as fn(&Halves) -> Run<usize, ()>),
        row("per_batch", "overlapped, a batch is one opaque CPU call", batch * CPU, per_batch),
        row("per_document", "overlapped, document by document", (batch / workers).ceil() * CPU, per_document),
        row("ramp", "the same, first batches of 1, 2, 4, 8", CPU, ramp),
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
    let prepare =
        move |batch: &mut Vec<usize>| Ok::<usize, Cause>(pass(cpu * batch.len() as u32, batch.len()));
    let device = move |batch: &[usize]| Ok::<(), Cause>(pass(gpu * batch[0] as u32, ()));
    let bar = halves.bar.clone();
    Pipeline::per_batch(prepare, device)
        .batch_size(batch_size)
        .workers(workers)
        .progress(move |progress| bar.set_position(progress.delivered))
        .run(0..DOCUMENTS)
}

/// Both halves document by document. The closures cannot be named, so the pipeline is boxed by type.
fn documents(halves: &Halves) -> Pipeline<usize, Prepare, Device> {
    let bar = halves.bar.clone();
    Pipeline::new(Prepare(halves.cpu), Device(halves.gpu))
        .batch_size(halves.batch_size)
        .workers(halves.workers)
        .progress(move |progress| bar.set_position(progress.delivered))
}

struct Prepare(Duration);

impl gapless::CpuStage<usize> for Prepare {
    type Prepared = ();

    fn prepare(&self, _: &mut usize) -> Result<(), Cause> {
        pass(self.0, Ok(()))
    }
}

struct Device(Duration);

impl gapless::GpuStage<()> for Device {
    type Output = ();
    type Ticket = ();

    fn submit(&mut self, batch: &[()]) -> Result<(), gapless::StageError> {
        pass(self.0 * batch.len() as u32, Ok(()))
    }

    fn try_collect(&mut self, (): &mut (), _: Duration) -> Result<Option<()>, gapless::StageError> {
        Ok(Some(()))
    }
}

#[expect(clippy::disallowed_methods, reason = "a synthetic cost")]
fn pass<T>(time: Duration, result: T) -> T {
    std::thread::sleep(time);
    result
}

/// Seconds until every document is out.
fn time(run: Run<usize, ()>) -> Result<f64, Error> {
    let start = Instant::now();
    let mut seen = 0;
    for batch in run {
        seen += batch?.len();
    }
    assert_eq!(seen, DOCUMENTS, "every document came out");
    Ok(start.elapsed().as_secs_f64())
}

impl Halves {
    fn new(options: &Options) -> Self {
        let bar = ProgressBar::new(DOCUMENTS as u64);
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}") {
            bar.set_style(style);
        }
        Self {
            cpu: Duration::from_secs_f64(CPU / options.scale),
            gpu: Duration::from_secs_f64(GPU / options.scale),
            batch_size: options.batch_size,
            workers: options.workers.unwrap_or(4),
            bar,
        }
    }
}
