//! Three runs that are slow for three reasons, and each again with what its report advises.
//!
//! ```text
//! cargo run --release --example bottlenecks
//! ```
//!
//! `docs/reading-a-run.md` walks through its reports. The CPU half is real: photos are read, decoded and resized.
//! The GPU half stands for a card that takes its time for each call and each photo and uses no processor, so that
//! the reports are those of a machine with a GPU, wherever this runs.

#[path = "common/made.rs"]
mod made;
#[path = "common/terminal.rs"]
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use gapless::image::{Format, Loader, encode};
use gapless::{Cause, Error, GpuStage, Pipeline, Report, Run, StageError};
use ndarray::Array3;
use terminal::{Problem, print};

const SIDE: u32 = 224;
const PHOTOS: usize = 400;

type Photo = Array3<u8>;

fn main() -> ExitCode {
    terminal::exit("bottlenecks", run())
}

fn run() -> Result<(), Problem> {
    if !terminal::goes_on(
        "bottlenecks: three slow runs, and each again with what its report advises; no options",
    )? {
        return Ok(());
    }
    let files = made::made_here(200)?;
    let photos: Vec<PathBuf> = files.iter().cycle().take(PHOTOS).cloned().collect();
    // The first run reads the files from the disk; none of those that are compared should pay for it.
    ended(pipeline(FAST).run(files))?;

    print("1. One worker prepares for a fast card.\n")?;
    show("workers(1)", ended(pipeline(FAST).workers(1).run(photos.clone()))?)?;
    show("workers(2)", ended(pipeline(FAST).workers(2).run(photos.clone()))?)?;

    print("2. A card that takes long for each call gets four photos at a time.\n")?;
    // Batches of one and two photos first: so the report knows what a batch of another size costs.
    let few = pipeline(SLOW_CALLS).batch_size(4).ramp(true);
    show("batch_size(4).ramp(true)", ended(few.run(photos.clone()))?)?;
    show("batch_size(16)", ended(pipeline(SLOW_CALLS).batch_size(16).run(photos.clone()))?)?;

    print("3. The caller encodes each result before it asks for the next.\n")?;
    show("for (path, photo) in batch.rows() { encode(photo) }", encoded_by_caller(photos.clone())?)?;
    show(".then(|path, photo| encode(photo))", ended(pipeline(FAST).then(encoded).run(photos))?)
}

/// A card that needs less time for a photo than a worker does.
const FAST: Card = Card { call: Duration::from_millis(1), photo: Duration::from_micros(250), free: None };
/// A card whose time goes into each call.
const SLOW_CALLS: Card = Card { call: Duration::from_millis(12), ..FAST };

fn pipeline(card: Card) -> Pipeline<PathBuf, Loader, Card> {
    Pipeline::new(Loader::rgb8(SIDE, SIDE), card).workers(2)
}

/// Stands for a card: it works on one batch after the other, two may be submitted, and a photo comes back inverted.
#[derive(Clone, Copy)]
struct Card {
    call: Duration,
    photo: Duration,
    /// When it is done with what it has.
    free: Option<Instant>,
}

/// A batch on the card, and when it is done.
struct OnCard {
    photos: Vec<Photo>,
    done: Instant,
}

impl GpuStage<Photo> for Card {
    type Output = Vec<Photo>;
    type Ticket = OnCard;

    fn depth(&self) -> usize {
        2
    }

    fn submit(&mut self, batch: &[Photo]) -> Result<OnCard, StageError> {
        let photos = batch.iter().map(|photo| photo.mapv(|value| 255 - value)).collect();
        let begins = self.free.map_or_else(Instant::now, |free| free.max(Instant::now()));
        let done = begins + self.call + self.photo * batch.len() as u32;
        self.free = Some(done);
        Ok(OnCard { photos, done })
    }

    fn try_collect(&mut self, batch: &mut OnCard, wait: Duration) -> Result<Option<Vec<Photo>>, StageError> {
        let left = batch.done.saturating_duration_since(Instant::now());
        pass(left.min(wait));
        Ok((left <= wait).then(|| std::mem::take(&mut batch.photos)))
    }
}

#[expect(clippy::disallowed_methods, reason = "the time of the card")]
fn pass(time: Duration) {
    thread::sleep(time);
}

fn encoded(_: &mut PathBuf, photo: &Photo) -> Result<Vec<u8>, Cause> {
    encode(photo.view(), Format::Png)
}

fn encoded_by_caller(photos: Vec<PathBuf>) -> Result<Report, Problem> {
    let mut run = pipeline(FAST).run(photos);
    for batch in run.by_ref() {
        for (_, photo) in batch?.rows() {
            encode(photo.view(), Format::Png).map_err(|cause| cause.to_string())?;
        }
    }
    Ok(run.report())
}

/// Takes every result, and does nothing with it.
fn ended<O>(mut run: Run<PathBuf, O>) -> Result<Report, Error> {
    run.by_ref().try_for_each(|batch| batch.map(drop))?;
    Ok(run.report())
}

fn show(setting: &str, report: Report) -> Result<(), Problem> {
    Ok(print(&format!("{setting}\n{report}\n"))?)
}
