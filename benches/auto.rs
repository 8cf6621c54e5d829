//! What is left to gapless against fixed settings, at real costs.
//!
//! `cargo bench --bench auto` loads JPEGs for a device that takes real time and no processor, for a small
//! program and for EfficientNet-Lite0, the last two on the device that `GAPLESS_DEVICE` names, or on the
//! twins. Every setting of a grid runs once; the best three run again in turn with the choice, so that all
//! meet the same load, and medians are compared. Every run checks that each photo came out.

#[path = "../examples/common/photos.rs"]
mod photos;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gapless::image::{Filter, Loader};
use gapless::kernel::{GlobalAveragePool, Normalize, Spec};
use gapless::{Auto, BatchSize, Gpu, GpuStage, Pipeline, Program, Ramp, Report, StageError};
use ndarray::Array3;

type Problem = Box<dyn Error + Send + Sync>;

const PHOTOS: usize = 800;
const LARGEST: usize = 32;
const ROUNDS: usize = 5;
const GOAL: f64 = 1.05;

fn main() -> Result<(), Problem> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("photos");
    let paths = photos::make_photos(&dir, PHOTOS, 1)?;
    let gpu = std::env::var("GAPLESS_DEVICE").map_or_else(|_| Ok(Gpu::cpu()), |name| Gpu::named(&name))?;
    println!(
        "JPEGs to 224 × 224, batches of 1 to {LARGEST}; goal: at most {GOAL} of the best fixed settings"
    );
    for (name, launch, item) in [
        ("a device of 10 ms a batch", 10_000, 0),
        ("a device of 2 ms a batch and 2 ms a photo", 2_000, 2_000),
        ("a device of 2 ms a batch and 50 µs a photo", 2_000, 50),
    ] {
        let wait = Wait { launch: Duration::from_micros(launch), item: Duration::from_micros(item) };
        compare(name, &paths, &|| Ok(wait), LARGEST)?;
    }
    compare(&format!("a small program on {}", gpu.info().name), &paths, &|| small(&gpu), LARGEST)?;
    let network =
        || Ok(Program::onnx(&gpu, "models/efficientnet-lite0.onnx")?.normalize([127.0; 3], [128.0; 3]));
    compare(&format!("EfficientNet-Lite0 on {}", gpu.info().name), &paths[..100], &network, 4)
}

/// A device that takes time and no processor.
#[derive(Clone, Copy)]
struct Wait {
    launch: Duration,
    item: Duration,
}

/// Results that are there at a moment.
struct Due(Instant, usize);

impl GpuStage<Array3<u8>> for Wait {
    type Output = Vec<()>;
    type Ticket = Due;

    fn submit(&mut self, batch: &[Array3<u8>]) -> Result<Due, StageError> {
        Ok(Due(Instant::now() + self.launch + self.item * batch.len() as u32, batch.len()))
    }

    #[expect(clippy::disallowed_methods, reason = "a device that takes time and no processor")]
    fn try_collect(&mut self, due: &mut Due, wait: Duration) -> Result<Option<Vec<()>>, StageError> {
        std::thread::sleep(due.0.saturating_duration_since(Instant::now()).min(wait));
        Ok((Instant::now() >= due.0).then(|| vec![(); due.1]))
    }
}

fn small(gpu: &Gpu) -> Result<Program, Problem> {
    let mut program = Program::new(gpu);
    let photo = program.input("photo", Spec::bytes(&[224, 224, 3]))?;
    let pixels = program.add(Normalize::new([127.0; 3], [128.0; 3]), &[photo])?;
    let mean = program.add(GlobalAveragePool, &[pixels])?;
    program.output("mean", mean)?;
    Ok(program)
}

/// Settings of a run.
#[derive(Clone, Copy, Debug)]
enum Way {
    Fixed { batch_size: usize, ahead: usize, ramp: bool },
    Chosen,
}

fn grid(largest: usize) -> impl Iterator<Item = Way> {
    let sizes = (0..).map(|power| 1 << power).take_while(move |size| *size <= largest);
    let each =
        |batch_size| [1, 4].map(|ahead| [false, true].map(|ramp| Way::Fixed { batch_size, ahead, ramp }));
    sizes.flat_map(move |size| each(size).into_iter().flatten())
}

fn compare<G>(
    name: &str,
    paths: &[PathBuf],
    stage: &dyn Fn() -> Result<G, Problem>,
    largest: usize,
) -> Result<(), Problem>
where
    G: GpuStage<Array3<u8>> + 'static,
{
    let run = |way| run(paths, stage()?, way, largest);
    let mut walls = Vec::new();
    for way in grid(largest) {
        walls.push((run(way)?.wall_s, way));
    }
    walls.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let mut ways: Vec<Way> = walls.iter().take(3).map(|(_, way)| *way).collect();
    ways.push(Way::Chosen);
    let mut times = vec![Vec::new(); ways.len()];
    let mut report = None;
    for _ in 0..ROUNDS {
        for (way, times) in ways.iter().zip(&mut times) {
            let last = run(*way)?;
            times.push(last.wall_s);
            report = Some(last);
        }
    }
    let mut medians: Vec<f64> = times.into_iter().map(median).collect();
    let chosen = medians.pop().ok_or("nothing was run")?;
    let best = medians.iter().zip(&ways).min_by(|(one, _), (other, _)| one.total_cmp(other));
    let (best, way) = best.ok_or("nothing was run")?;
    println!(
        "\n{name}, {} photos: best {best:.3} s with {way:?}, chosen {chosen:.3} s, {:.3} of it",
        paths.len(),
        chosen / best
    );
    for decision in report.iter().flat_map(|report| &report.decisions) {
        println!("  {decision}");
    }
    Ok(())
}

fn run<G>(paths: &[PathBuf], stage: G, way: Way, largest: usize) -> Result<Report, Problem>
where
    G: GpuStage<Array3<u8>> + 'static,
{
    let loader = Loader::rgb8(224, 224).center_crop(0.875).filter(Filter::Bicubic);
    let pipeline = Pipeline::new(loader, stage);
    let mut run = match way {
        Way::Fixed { batch_size, ahead, ramp } => {
            pipeline.batch_size(BatchSize::from(batch_size)).ahead(ahead).ramp(Ramp::from(ramp))
        }
        Way::Chosen => pipeline.batch_size(Auto.up_to(largest)).ahead(Auto).ramp(Auto),
    }
    .run(paths.to_vec());
    let photos: Result<Vec<usize>, _> = run.by_ref().map(|batch| batch.map(|batch| batch.len())).collect();
    assert_eq!(photos?.iter().sum::<usize>(), paths.len(), "every photo came out");
    Ok(run.report())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
