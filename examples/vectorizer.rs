//! A loop over texts, replaced by a vectorizer on four workers.
//!
//! ```text
//! cargo run --release --example vectorizer
//! cargo run --release --example vectorizer -- --json
//! ```
//!
//! The example of PyBlaze's documentation: a hundred texts of twenty letters, and a tokeniser that waits
//! 10 ms for each. It waits and does not compute, so four workers gain nearly four times on any number of
//! cores. Times are medians of five. With `--json` stdout is one object and nothing else.

#[path = "common/terminal.rs"]
mod terminal;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use gapless::Cause;
use gapless::parallel::Vectorizer;
use terminal::{Problem, print};

const TEXTS: usize = 100;
const LETTERS: usize = 20;
const WORKERS: usize = 4;
const RUNS: usize = 5;

type Tokens = Vec<Vec<String>>;

fn main() -> ExitCode {
    terminal::exit("vectorizer", run())
}

fn run() -> Result<(), Problem> {
    let json = terminal::json_only("vectorizer [--json]\n\n--json  one object on stdout and nothing else")?;
    let Some(json) = json else { return Ok(()) };
    let texts = texts();
    let mut vectorizer = Vectorizer::new(|text: &mut String| Ok::<_, Cause>(tokenize(text))).workers(WORKERS);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..RUNS {
        let (one, sequential) = time(|| Ok(texts.iter().map(|text| tokenize(text)).collect()))?;
        let (other, parallel) = time(|| Ok(vectorizer.process(texts.clone())?))?;
        if one != other {
            return Err("the vectorizer gave other tokens than the loop".into());
        }
        times[0].push(sequential);
        times[1].push(parallel);
    }
    let [sequential, parallel] = times.map(median);
    let speedup = sequential / parallel;
    if json {
        let object =
            serde_json::json!({ "sequential_s": sequential, "parallel_s": parallel, "speedup": speedup });
        return Ok(print(&object.to_string())?);
    }
    print(&format!("{TEXTS} texts in a loop: {sequential:.4} s"))?;
    Ok(print(&format!("on {WORKERS} workers: {parallel:.4} s, {speedup:.3} times as fast"))?)
}

/// Splits a text, and takes 10 ms for it.
#[expect(clippy::disallowed_methods, reason = "a synthetic cost: the tokeniser is to take this long")]
fn tokenize(text: &str) -> Vec<String> {
    std::thread::sleep(Duration::from_millis(10));
    text.split_whitespace().map(String::from).collect()
}

/// Texts of a to e and blanks that look random and are the same everywhere.
fn texts() -> Vec<String> {
    let mut state = 1_u32;
    let mut letter = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b"abcde "[(state >> 16) as usize % 6])
    };
    (0..TEXTS).map(|_| (0..LETTERS).map(|_| letter()).collect()).collect()
}

fn time(work: impl FnOnce() -> Result<Tokens, Problem>) -> Result<(Tokens, f64), Problem> {
    let start = Instant::now();
    let tokens = work()?;
    Ok((tokens, start.elapsed().as_secs_f64()))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
