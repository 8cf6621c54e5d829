//! What a run costs beside others: rayon, channels by hand, tokio. The same work, in the order of the source.
//!
//! `cargo bench --bench peers`. Medians of runs in turns, so that all see the same machine; every run checks its
//! results and their order.

use std::collections::BTreeMap;
use std::future::ready;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use gapless::{Cause, Pipeline, async_stage, parallel};
use rayon::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::Shown::{All, Each};

const WORKERS: usize = 2;
const RUNS: usize = 7;
/// Futures that wait at once, and items that are on their way where others need a number.
const AHEAD: usize = 1000;

fn main() {
    println!("{WORKERS} workers; behind each time its share of ours");
    let double = |number: u64| number * 2;
    let text = |number: u64| number.to_string();
    all("trivial numbers, of 1,000,000 (goal: 0.14 to 0.28 µs)", 1_000_000, Each, double, |number| *number);
    all("numbers to texts, of 1,000,000 (goal: at most 0.4 µs)", 1_000_000, Each, text, value);
    all("1,000 trivial numbers with start and stop (goal: at most 0.8 ms)", 1000, All, double, |number| {
        *number
    });
    let rounds = rounds(Duration::from_millis(1));
    let costly = move |number| work(number, rounds);
    all("400 numbers of 1 ms (goal: within 3 % of rayon)", 400, All, costly, |number| *number);
    sleeps(10_000);
    requests("a lone request that is trivial (goal: 35 µs)", |number| number);
    requests("a lone request of 1 ms in each half (goal: its two halves and 200 µs)", move |number| {
        work(number, rounds)
    });
}

/// Whether the time of an item is shown, in µs, or that of all, in ms.
#[derive(Clone, Copy)]
enum Shown {
    Each,
    All,
}

/// One function over so many numbers, every way.
fn all<R: Send + 'static>(
    what: &str,
    items: u64,
    shown: Shown,
    function: impl Fn(u64) -> R + Copy + Send + Sync + 'static,
    value: fn(&R) -> u64,
) {
    let expected = digest((0..items).map(|number| value(&function(number))));
    let check = |digest: u64| assert_eq!(digest, expected, "every result, in its place");
    let tokio = multi_threaded();
    compare(
        what,
        (items, shown),
        &[
            ("gapless", &|| check(with_gapless(items, function, value))),
            ("rayon", &|| check(with_rayon(items, function, value))),
            ("channels by hand", &|| check(by_hand(items, function, value))),
            ("tokio", &|| check(with_tokio(&tokio, items, function, value))),
        ],
    );
}

/// Runs all ways in turns, and prints the median of each.
fn compare(what: &str, (items, shown): (u64, Shown), ways: &[(&str, &dyn Fn())]) {
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..RUNS {
        for ((_, run), times) in ways.iter().zip(&mut times) {
            let start = Instant::now();
            run();
            times.push(start.elapsed().as_secs_f64());
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    println!("{what}");
    for ((name, _), seconds) in ways.iter().zip(&medians) {
        let time = match shown {
            Each => format!("{:.3} µs", seconds / items as f64 * 1e6),
            All => format!("{:.2} ms", seconds * 1e3),
        };
        println!("  {name:<19}{time:>10}   {:.3}", seconds / medians[0]);
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// One number for values in their order.
fn digest(values: impl IntoIterator<Item = u64>) -> u64 {
    values.into_iter().fold(0, |digest: u64, value| digest.wrapping_mul(31).wrapping_add(value))
}

/// The first digit of a text and how long it is.
fn value(text: &String) -> u64 {
    u64::from(text.as_bytes()[0]) + text.len() as u64
}

fn with_gapless<R: Send + 'static>(
    items: u64,
    function: impl Fn(u64) -> R + Send + Sync + 'static,
    value: fn(&R) -> u64,
) -> u64 {
    let stage = move |number: &mut u64| Ok::<_, Cause>(function(*number));
    let run = parallel(stage, 0..items).workers(WORKERS).run();
    digest(run.map(|outcome| value(&outcome.expect("no failure").result)))
}

/// A pool of its own, which is started and stopped as the threads of the others are.
fn with_rayon<R: Send>(items: u64, function: impl Fn(u64) -> R + Send + Sync, value: fn(&R) -> u64) -> u64 {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(WORKERS).build().expect("a pool");
    let results: Vec<R> = pool.install(|| (0..items).into_par_iter().map(function).collect());
    digest(results.iter().map(value))
}

/// A thread that feeds, workers, and results that wait for their turn.
fn by_hand<R: Send>(items: u64, function: impl Fn(u64) -> R + Copy + Send, value: fn(&R) -> u64) -> u64 {
    let (feed, fed) = crossbeam_channel::bounded::<u64>(AHEAD);
    let (give, given) = crossbeam_channel::bounded(AHEAD);
    std::thread::scope(|scope| {
        scope.spawn(move || (0..items).for_each(|number| feed.send(number).expect("a worker takes it")));
        for _ in 0..WORKERS {
            let (fed, give) = (fed.clone(), give.clone());
            scope.spawn(move || {
                fed.iter().for_each(|number| give.send((number, function(number))).expect("it is taken"));
            });
        }
        drop((fed, give));
        let (mut early, mut next) = (BTreeMap::new(), 0);
        let in_order = given.iter().flat_map(|(number, result)| {
            early.insert(number, value(&result));
            let due = std::iter::from_fn(|| early.remove(&next).inspect(|_| next += 1));
            due.collect::<Vec<_>>()
        });
        digest(in_order)
    })
}

fn multi_threaded() -> Runtime {
    Builder::new_multi_thread().worker_threads(WORKERS).enable_time().build().expect("a runtime")
}

/// A task for each item, of which as many are on their way as others have tokens.
fn with_tokio<R: Send + 'static>(
    runtime: &Runtime,
    items: u64,
    function: impl Fn(u64) -> R + Copy + Send + 'static,
    value: fn(&R) -> u64,
) -> u64 {
    let tasks = stream::iter(0..items).map(move |number| tokio::spawn(async move { function(number) }));
    let values = tasks.buffered(AHEAD).map(|result| value(&result.expect("no panic")));
    runtime.block_on(values.fold(0, |digest: u64, value| ready(digest.wrapping_mul(31).wrapping_add(value))))
}

/// Sleeps of a millisecond, so many at once, by futures of tokio's timer.
fn sleeps(items: u64) {
    let expected = digest(0..items);
    let check = |digest: u64| assert_eq!(digest, expected, "every result, in its place");
    let tokio = multi_threaded();
    let ours = |workers| {
        let timer = tokio.handle().clone();
        let stage = async_stage(move |number: &mut u64| {
            let _timer = timer.enter();
            let (number, sleep) = (*number, tokio::time::sleep(Duration::from_millis(1)));
            async move {
                sleep.await;
                Ok::<_, Cause>(number)
            }
        });
        let run = parallel(stage, 0..items).workers(workers).chunk(16).ahead(AHEAD).run();
        check(digest(run.map(|outcome| outcome.expect("no failure").result)));
    };
    let theirs = || {
        let sleep = |number| async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            number
        };
        let values = stream::iter(0..items).map(sleep).buffered(AHEAD);
        check(digest(tokio.block_on(values.collect::<Vec<_>>())));
    };
    let spawned = || {
        let sleep = |number| {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                number
            })
        };
        let values = stream::iter(0..items).map(sleep).buffered(AHEAD);
        let values = values.map(|number| number.expect("no panic")).collect::<Vec<_>>();
        check(digest(tokio.block_on(values)));
    };
    let what = format!("{items} sleeps of 1 ms, {AHEAD} at once (goal: as tokio's buffered)");
    compare(
        &what,
        (items, All),
        &[
            ("gapless", &|| ours(WORKERS)),
            ("in the caller", &|| ours(0)),
            ("tokio, one task", &theirs),
            ("tokio, a task each", &spawned),
        ],
    );
}

/// One request after the other, through a half on a worker and a half on a device.
fn requests(what: &str, half: impl Fn(u64) -> u64 + Copy + Send + Sync + 'static) {
    const REQUESTS: u64 = 200;
    let expected = digest((0..REQUESTS).map(|number| half(half(number))));
    let check = |answers: &mut dyn FnMut(u64) -> u64| {
        assert_eq!(digest((0..REQUESTS).map(answers)), expected, "every answer, to its request");
    };
    let batch = move |numbers: &[u64]| numbers.iter().map(|number| half(*number)).collect::<Vec<u64>>();
    let pipeline = Pipeline::new(move |number: &mut u64| half(*number), batch).workers(WORKERS);
    let (submitter, _server) = pipeline.serve().expect("it starts");
    let (ask, asked) = crossbeam_channel::bounded::<u64>(1);
    let (hand, handed) = crossbeam_channel::bounded::<u64>(1);
    let (answer, answered) = crossbeam_channel::bounded::<u64>(1);
    std::thread::scope(|scope| {
        scope.spawn(move || asked.iter().for_each(|number| hand.send(half(number)).expect("it is taken")));
        scope.spawn(move || handed.iter().for_each(|number| answer.send(half(number)).expect("it is taken")));
        let ours = |number| submitter.submit(number).expect("it serves").wait().expect("no failure").1;
        let theirs = |number| {
            ask.send(number).expect("it is taken");
            answered.recv().expect("an answer")
        };
        compare(
            what,
            (REQUESTS, Each),
            &[
                ("gapless", &|| check(&mut { ours })),
                ("channels by hand", &|| check(&mut { theirs })),
                ("one thread", &|| check(&mut |number| half(half(number)))),
            ],
        );
        drop(ask);
    });
}

/// Rounds of arithmetic: the same code for every way, however each is inlined.
#[inline(never)]
fn work(number: u64, rounds: u64) -> u64 {
    (0..rounds)
        .fold(number, |sum, round| std::hint::black_box(sum ^ round.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

/// Rounds that take so long when nothing disturbs them.
fn rounds(time: Duration) -> u64 {
    let once = || {
        let start = Instant::now();
        std::hint::black_box(work(1, 100_000));
        start.elapsed().as_secs_f64()
    };
    (time.as_secs_f64() / (0..50).map(|_| once()).fold(f64::INFINITY, f64::min) * 1e5) as u64
}
