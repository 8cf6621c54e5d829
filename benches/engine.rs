//! What the engine itself costs: trivial documents, start and stop, a recording, memory over ten million documents.
//!
//! `cargo bench --bench engine`. Medians of several runs; every run checks its result.

use std::time::{Duration, Instant};

use gapless::{Cause, Pipeline, Run, Watchdog, parallel};

const RUNS: usize = 7;

fn main() {
    println!("trivial documents, source order, two workers (goals: 0.3 µs each, 10,000 in 5 ms)");
    for batch_size in [16, 64, 256] {
        compare(batch_size, None);
    }
    println!("the same with the tokens of items that own memory");
    compare(16, Some(2));
    watched();
    let micros = median((0..RUNS).map(|_| mapped(1_000_000)).collect()).as_secs_f64();
    let short = median((0..3 * RUNS).map(|_| mapped(10_000)).collect()).as_secs_f64() * 1e3;
    println!("  map, without a device: {micros:.3} µs each; 10,000 with start and stop {short:.2} ms");
    println!("recorded, of the same not recorded (goal: below 1.02 where a document takes 50 µs or more)");
    recorded("trivial documents", 1_000_000, 0);
    recorded("documents of 50 µs", 20_000, rounds(Duration::from_micros(50)));
    recorded("documents of 100 µs", 10_000, rounds(Duration::from_micros(100)));
    let taken = median((0..RUNS).map(|_| started(true)).collect())
        .saturating_sub(median((0..RUNS).map(|_| started(false)).collect()));
    println!("  the memory of a recording with its default room: {:.2} ms, once", taken.as_secs_f64() * 1e3);
    println!("a plain loop over 1,000,000: {:?}", median((0..RUNS).map(|_| plain(1_000_000)).collect()));
    memory(10_000_000);
}

/// Many documents and few, with so many batches ahead, or as many as the pipeline chooses.
fn compare(batch_size: usize, ahead: Option<usize>) {
    let many = (0..RUNS).map(|_| trivial(1_000_000, batch_size, ahead)).collect();
    let few = (0..3 * RUNS).map(|_| trivial(10_000, batch_size, ahead)).collect();
    let (micros, millis) = (median(many).as_secs_f64(), median(few).as_secs_f64() * 1e3);
    println!(
        "  batch {batch_size:>3}: {micros:.3} µs each; 10,000 with start and stop of the threads {millis:.2} ms"
    );
}

/// Runs the smallest possible halves over so many documents.
fn trivial(documents: u64, batch_size: usize, ahead: Option<usize>) -> Duration {
    let cpu = |x: &mut u64| Ok::<_, Cause>(*x * 2);
    let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.iter().sum::<u64>());
    let start = Instant::now();
    let pipeline = Pipeline::new(cpu, gpu).workers(2).batch_size(batch_size);
    let run = ahead.into_iter().fold(pipeline, Pipeline::ahead).run(0..documents);
    timed(start, documents, run)
}

/// With a watchdog and without one, in turns so that both see the same machine.
fn watched() {
    let (mut wall, mut cpu) = ([Vec::new(), Vec::new()], [0.0, 0.0]);
    for turn in 0..4 * RUNS {
        let watch = turn % 2;
        let before = cpu_seconds();
        wall[watch].push(trivial_watched(1_000_000, watch == 1));
        cpu[watch] += cpu_seconds() - before;
    }
    let [off, on] = wall.map(|times| median(times).as_secs_f64());
    println!(
        "  batch  16 with a watchdog: {on:.3} µs each, {off:.3} without (goal: below 1.10 of that: {:.3}, \
         processor time {:.3})",
        on / off,
        cpu[1] / cpu[0]
    );
}

/// Trivial documents in batches of 16, with a watchdog that has nothing to tell, or without one.
fn trivial_watched(documents: u64, watch: bool) -> Duration {
    let cpu = |x: &mut u64| Ok::<_, Cause>(*x * 2);
    let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.iter().sum::<u64>());
    let start = Instant::now();
    let mut pipeline = Pipeline::new(cpu, gpu).workers(2).batch_size(16);
    if watch {
        pipeline = pipeline.watchdog(Duration::from_secs(60), Watchdog::End);
    }
    timed(start, documents, pipeline.run(0..documents))
}

fn timed(start: Instant, documents: u64, run: Run<u64, u64>) -> Duration {
    let sum: u64 = run.map(|batch| *batch.expect("no failure").output().expect("an output")).sum();
    let time = start.elapsed();
    assert_eq!(sum, documents * (documents - 1), "every document went through both halves once");
    time
}

/// A recorded run against one that is not, in turns so that both see the same machine. Where other work runs
/// too, the processor time tells more than the time on the wall.
fn recorded(what: &str, documents: u64, rounds: u64) {
    // Trivial documents make more spans than there is room for by default.
    let room = |record: bool| if record { 1 << 20 } else { 0 };
    let (mut wall, mut cpu) = ([Vec::new(), Vec::new()], [0.0, 0.0]);
    for turn in 0..4 * RUNS {
        let record = turn % 2;
        let (time, processor) = costly(documents, rounds, room(record == 1));
        wall[record].push(time);
        cpu[record] += processor;
    }
    let [off, on] = wall.map(|times| median(times).as_secs_f64() * 1e3);
    println!(
        "  {what}: processor time {:.3}, wall {:.3} ({on:.2} ms and {off:.2} ms)",
        cpu[1] / cpu[0],
        on / off
    );
}

/// Runs documents of so many rounds of arithmetic, from the start of the threads to their end.
fn costly(documents: u64, rounds: u64, record: usize) -> (Duration, f64) {
    let cpu = move |x: &mut u64| {
        work(rounds);
        Ok::<_, Cause>(*x)
    };
    let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.iter().sum::<u64>());
    let pipeline = Pipeline::new(cpu, gpu).workers(2).trace(record);
    // The memory of a recording is taken here, once, and read after the run: neither counts here.
    let mut run = pipeline.run(0..documents);
    let (start, before) = (Instant::now(), cpu_seconds());
    let sum: u64 = run.by_ref().map(|batch| *batch.expect("no failure").output().expect("an output")).sum();
    let (time, processor) = (start.elapsed(), cpu_seconds() - before);
    assert_eq!(sum, documents * (documents - 1) / 2, "every document went through both halves once");
    assert!(record == 0 || run.timeline().is_ok_and(|timeline| timeline.left_out() == 0), "all is recorded");
    (time, processor)
}

fn work(rounds: u64) {
    for round in 0..rounds {
        std::hint::black_box(round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }
}

/// Rounds of arithmetic that take so long when nothing disturbs them.
fn rounds(time: Duration) -> u64 {
    let once = || {
        let start = Instant::now();
        work(100_000);
        start.elapsed().as_secs_f64()
    };
    (time.as_secs_f64() / (0..50).map(|_| once()).fold(f64::INFINITY, f64::min) * 1e5) as u64
}

/// Processor time of this process so far, in steps of 10 ms; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Time until a run has started.
fn started(record: bool) -> Duration {
    let pipeline =
        Pipeline::new(|x: &mut u64| Ok::<_, Cause>(*x), |batch: &[u64]| Ok::<_, Cause>(batch.to_vec()));
    let start = Instant::now();
    let run = pipeline.workers(2).trace(record).run(0..1);
    let time = start.elapsed();
    assert_eq!(run.count(), 1, "the run comes to its end");
    time
}

/// The same without a device.
fn mapped(documents: u64) -> Duration {
    let start = Instant::now();
    let run = parallel::map(0..documents, |x: &mut u64| Ok::<_, Cause>(*x * 2)).workers(2).run();
    let sum: u64 = run.map(|result| result.expect("no failure").1).sum();
    let time = start.elapsed();
    assert_eq!(sum, documents * (documents - 1), "every document came out once");
    time
}

fn plain(documents: u64) -> Duration {
    let start = Instant::now();
    let sum: u64 = (0..documents).map(std::hint::black_box).map(|x| x * 2).sum();
    assert_eq!(sum, documents * (documents - 1));
    start.elapsed()
}

/// Resident memory must not grow with the number of documents.
fn memory(documents: u64) {
    let cpu = |x: &mut u64| Ok::<_, Cause>(*x * 2);
    let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.iter().sum::<u64>());
    let mut run = Pipeline::new(cpu, gpu).workers(2).batch_size(256).run(0..documents);
    let (mut seen, mut after_start, mut peak) = (0, None, 0);
    for batch in run.by_ref() {
        seen += batch.expect("no failure").len() as u64;
        if seen % 262_144 == 0 && seen > documents / 20 {
            let now = resident_kib();
            after_start.get_or_insert(now);
            peak = peak.max(now);
        }
    }
    assert_eq!(seen, documents);
    let drift = peak.saturating_sub(after_start.unwrap_or(0));
    println!(
        "{documents} documents: memory drifts by {drift} KiB after the first 5 % (goal: at most 4096), {} of {} tokens in flight at most",
        run.report().peak_in_flight,
        run.tokens()
    );
}

/// Resident memory of this process; 0 where the system does not tell.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
