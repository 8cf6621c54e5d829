//! How busy the ring keeps a device, with 1, 2 and 3 batches in flight, when the CPU half is fast enough.
//!
//! 16 photos of 224 × 224 a batch, prepared beforehand; the device normalises them and reads them back.
//! The bound is 1: a device that never waits. `GAPLESS_DEVICE` names the device, `software` by default.
//!
//! Run with `cargo bench --bench ring`.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use gapless::kernel::{Normalize, Spec};
use gapless::{Gpu, GpuStage, Program, Tensors};
use ndarray::Array3;

const BATCH: usize = 16;
const BATCHES: usize = 60;
const ROUNDS: usize = 5;
const SHAPE: [usize; 3] = [224, 224, 3];

type Photo = Array3<u8>;

/// One run: shares of time and milliseconds.
#[derive(Clone, Copy)]
struct Run {
    /// By the device's clock, from the first beginning to the last end.
    busy: f64,
    /// By the host's clock: at least one batch was submitted and not collected.
    owed: f64,
    gap: f64,
    batch: f64,
}

fn main() {
    let name = std::env::var("GAPLESS_DEVICE").unwrap_or_else(|_| "software".into());
    let gpu = Gpu::named(&name).unwrap_or_else(|error| panic!("{error}"));
    println!("{gpu}: {BATCHES} batches of {BATCH} × {SHAPE:?}, median of {ROUNDS} runs");
    let photos: Vec<Vec<Photo>> =
        (0..4).map(|seed| (0..BATCH).map(|index| photo(seed + index)).collect()).collect();
    let mut nets: Vec<Program> = (1..=3).map(|depth| open(&gpu, depth)).collect();
    let mut runs = vec![Vec::new(); nets.len()];
    for _ in 0..ROUNDS {
        for (net, runs) in nets.iter_mut().zip(&mut runs) {
            runs.push(run(net, &photos));
        }
    }
    println!("depth  device busy  host: work owed  gap ms  batch ms");
    for (depth, runs) in (1..).zip(&runs) {
        let of = |value: fn(&Run) -> f64| median(runs.iter().map(value).collect());
        let (busy, owed, gap, batch) =
            (of(|run| run.busy), of(|run| run.owed), of(|run| run.gap), of(|run| run.batch));
        println!("{depth:>5}  {busy:>11.3}  {owed:>15.3}  {gap:>6.3}  {batch:>8.3}");
    }
}

fn photo(seed: usize) -> Photo {
    Photo::from_shape_fn(SHAPE, |(y, x, c)| (seed * 97 + y * 31 + x * 7 + c * 3) as u8)
}

fn open(gpu: &Gpu, depth: usize) -> Program {
    let mut net = Program::new(gpu).depth(depth);
    let x = net.input("photo", Spec::bytes(&SHAPE)).expect("a new name");
    let y = net.add(Normalize::new([128.0; 3], [128.0; 3]), &[x]).expect("a photo");
    net.output("planes", y).expect("a new name");
    GpuStage::<Photo>::open(&mut net, BATCH).expect("16 photos fit");
    net
}

fn run(net: &mut Program, photos: &[Vec<Photo>]) -> Run {
    let mut flight = VecDeque::new();
    let (mut spans, mut owed) = (Vec::new(), Duration::ZERO);
    let depth = GpuStage::<Photo>::depth(net);
    let start = Instant::now();
    let mut since = start;
    for batch in 0..BATCHES {
        if flight.len() == depth {
            spans.extend(collect(net, &mut flight, photos));
            owed += if flight.is_empty() { since.elapsed() } else { Duration::ZERO };
        }
        let ticket = net.submit(&photos[batch % photos.len()]).expect("the device is there");
        since = if flight.is_empty() { Instant::now() } else { since };
        flight.push_back((batch, ticket));
    }
    while !flight.is_empty() {
        spans.extend(collect(net, &mut flight, photos));
    }
    let wall = start.elapsed();
    Run {
        busy: busy(&spans),
        owed: (owed + since.elapsed()).as_secs_f64() / wall.as_secs_f64(),
        gap: gap(&spans),
        batch: wall.as_secs_f64() * 1e3 / BATCHES as f64,
    }
}

fn collect(
    net: &mut Program,
    flight: &mut VecDeque<(usize, gapless::gpu::ProgramTicket)>,
    photos: &[Vec<Photo>],
) -> Option<Range<Duration>> {
    let (batch, mut ticket) = flight.pop_front().expect("a batch is in flight");
    let minute = Duration::from_secs(60);
    let tensors = GpuStage::<Photo>::try_collect(net, &mut ticket, minute).expect("the device is there");
    let tensors: Tensors = tensors.expect("a batch is done within a minute");
    let (index, y, x, c) = (batch % BATCH, 200, 100, 1);
    let pixel = photos[batch % photos.len()][index][[y, x, c]];
    let wanted = (f32::from(pixel) - 128.0) / 128.0;
    assert!((tensors["planes"][[index, c, y, x]] - wanted).abs() < 1e-6, "batch {batch} is wrong");
    tensors.device_span()
}

/// Share of the device's time in which it ran a batch; NaN without a clock.
fn busy(spans: &[Range<Duration>]) -> f64 {
    let worked: Duration = spans.iter().map(|span| span.end.saturating_sub(span.start)).sum();
    match spans {
        [first, .., last] => worked.as_secs_f64() / (last.end - first.start).as_secs_f64(),
        _ => f64::NAN,
    }
}

fn gap(spans: &[Range<Duration>]) -> f64 {
    let gap = |pair: &[Range<Duration>]| pair[1].start.saturating_sub(pair[0].end).as_secs_f64() * 1e3;
    median(spans.windows(2).map(gap).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
