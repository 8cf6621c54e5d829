//! A function over many items: ten that sleep a second each, and ten thousand that cost nothing.
//!
//! ```text
//! cargo run --release --example parallel
//! cargo run --release --example parallel -- --json
//! ```
//!
//! The two cases of a well-known article on fastcore's `parallel`: with sleeping items it gains all that
//! there is to gain, with trivial ones the cost of each item shows. The sleeps run on ten workers, the
//! trivial items on one worker a core, and times hold the start and the end of the threads. Trivial times
//! are medians of nine. With `--json` stdout is one object and nothing else.

#[path = "common/terminal.rs"]
mod terminal;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use gapless::{Cause, parallel};
use terminal::{Problem, print};

const SLEEPS: usize = 10;
const SLEEP: Duration = Duration::from_secs(1);
const TRIVIAL: u64 = 10_000;
const RUNS: usize = 9;

fn main() -> ExitCode {
    terminal::exit("parallel", run())
}

fn run() -> Result<(), Problem> {
    let json = terminal::json_only("parallel [--json]\n\n--json  one object on stdout and nothing else")?;
    let Some(json) = json else { return Ok(()) };
    let sleeps = sleeps()?.as_secs_f64();
    let trivial = median(trivial)?.as_secs_f64();
    let serial = median(serial)?.as_secs_f64();
    if json {
        let object = serde_json::json!({
            "sleeps": SLEEPS, "sleep_s": SLEEP.as_secs(), "parallel_s": sleeps,
            "trivial": TRIVIAL, "trivial_s": trivial, "serial_s": serial,
        });
        return Ok(print(&object.to_string())?);
    }
    print(&format!("{SLEEPS} items that sleep {} s, on {SLEEPS} workers: {sleeps:.4} s", SLEEP.as_secs()))?;
    print(&format!("{TRIVIAL} trivial items: {:.3} ms", trivial * 1e3))?;
    Ok(print(&format!("the same in a plain loop: {:.3} ms", serial * 1e3))?)
}

/// Ten sleeping items on ten workers.
fn sleeps() -> Result<Duration, Problem> {
    let sleep = |number: &mut u64| {
        work_for(SLEEP);
        Ok::<_, Cause>(*number * 2)
    };
    let start = Instant::now();
    let doubled = parallel(sleep, 0..SLEEPS as u64).workers(SLEEPS).collect()?;
    let time = start.elapsed();
    check(&doubled, SLEEPS as u64)?;
    Ok(time)
}

#[expect(clippy::disallowed_methods, reason = "a synthetic cost: the item is to take this long")]
fn work_for(time: Duration) {
    std::thread::sleep(time);
}

/// Ten thousand trivial items, with the start and the end of the threads.
fn trivial() -> Result<Duration, Problem> {
    let start = Instant::now();
    let doubled = parallel(|number: &mut u64| Ok::<_, Cause>(*number * 2), 0..TRIVIAL).collect()?;
    let time = start.elapsed();
    check(&doubled, TRIVIAL)?;
    Ok(time)
}

fn serial() -> Result<Duration, Problem> {
    let start = Instant::now();
    let doubled: Vec<u64> = (0..TRIVIAL).map(|number| std::hint::black_box(number) * 2).collect();
    let time = start.elapsed();
    check(&doubled, TRIVIAL)?;
    Ok(time)
}

fn check(doubled: &[u64], items: u64) -> Result<(), Problem> {
    let right = doubled.iter().copied().eq((0..items).map(|number| number * 2));
    if right { Ok(()) } else { Err("a result is not at its place".into()) }
}

fn median(measure: fn() -> Result<Duration, Problem>) -> Result<Duration, Problem> {
    let mut times = (0..RUNS).map(|_| measure()).collect::<Result<Vec<_>, _>>()?;
    times.sort();
    Ok(times[RUNS / 2])
}
