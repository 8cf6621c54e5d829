//! Costs measured on a sample: photos of the repository through the loader and a small network.

use gapless::image::Loader;
use gapless::predict::{Costs, Settings};
use gapless::{Gpu, Pipeline, Report};

use crate::options::Options;
use crate::terminal::{Problem, complain};
use crate::{made, network};

/// Photos of the sample: enough for some batches of several sizes.
const PHOTOS: usize = 96;
const SIDE: usize = 224;

/// What a photo and a batch cost on this machine; a cost that was given stays as it is.
pub(crate) fn measure(options: &Options) -> Result<Costs, Problem> {
    let report = run(options)?;
    let mut costs = report.costs.ok_or("the sample gave no result, so it says nothing of costs")?;
    let given = options.costs;
    for (measured, given) in
        [(&mut costs.source, given.source), (&mut costs.cpu, given.cpu), (&mut costs.caller, given.caller)]
    {
        *measured = if given > 0.0 { given } else { *measured };
    }
    if given.gpu_launch + given.gpu_item > 0.0 {
        costs = costs.gpu(given.gpu_launch, given.gpu_item);
    }
    costs.then = given.then;
    if report.shares_cpu() {
        complain(
            "predict: the device of the sample shares the CPU with the workers, so the halves cost more here than apart",
        );
    }
    Ok(costs)
}

/// The sample has a ramp, so that batches of several sizes show what a launch and what an item costs.
fn run(options: &Options) -> Result<Report, Problem> {
    let gpu = options.device.as_deref().map_or_else(Gpu::best, Gpu::named)?;
    let Settings { batch_size, workers, .. } = options.settings;
    let loader = Loader::rgb8(SIDE as u32, SIDE as u32).center_crop(0.875);
    let net = network::small_network(&gpu, SIDE)?;
    let pipeline =
        Pipeline::new(loader, net).batch_size(batch_size.min(PHOTOS / 4)).workers(workers).ramp(true);
    let mut run = pipeline.run(made::made_here(PHOTOS)?);
    run.by_ref().try_for_each(|batch| batch.map(drop))?;
    Ok(run.report())
}
