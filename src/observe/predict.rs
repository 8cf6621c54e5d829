//! What a run will take, before it is started.
//!
//! [`predict()`] computes the schedule of the engine from the costs of a document and the settings of a
//! run: tokens, workers, line, ramp, devices with their depth, `then`, caller. It runs nothing and reads no
//! clock, and it is exact where the costs are: every moment is a whole number of nanoseconds, and under a
//! manual clock the engine takes the time that is predicted, to the nanosecond.
//!
//! ```
//! use gapless::Bottleneck;
//! use gapless::predict::{Costs, Settings, predict};
//!
//! // The experiment of the README: 1/16 s a document on one of four workers, 1/8 s on the device.
//! let costs = Costs::default().cpu(1.0 / 16.0).gpu(0.0, 1.0 / 8.0);
//! let settings = Settings::new(1024).batch_size(16).workers(4);
//! let prediction = predict(&costs, &settings)?;
//! assert_eq!((prediction.seconds, prediction.bound_s), (128.25, 128.0625));
//! assert_eq!(prediction.bottleneck, Bottleneck::Gpu);
//! assert_eq!(predict(&costs, &settings.ramp(true))?.seconds, 128.0625);
//! # Ok::<(), gapless::Error>(())
//! ```
//!
//! # What it takes for granted
//! Every document costs the same and none fails. Workers take documents one by one, which they do from
//! about 50 microseconds a document on; trivial documents go in groups, and their cost is the engine's own.
//! The halves have a processor and a device of their own each.

mod closed;
mod costs;
mod prediction;
mod rules;
mod schedule;
mod sequential;
mod settings;
#[cfg(test)]
pub(crate) mod tests;

pub use self::costs::Costs;
pub use self::prediction::Prediction;
use self::rules::{Rules, Time, seconds};
use self::schedule::Outcome;
pub use self::settings::{Settings, Way};
use super::bound;
use crate::error::Error;

/// What a run with these costs and settings will take.
///
/// With several pipelines each gets an equal share of the documents; at most two shares differ, by one
/// document, and the times are those of the pipeline that ends last.
///
/// Takes microseconds where there is a closed form (one device, one batch deep, nothing but the two halves).
/// Otherwise the schedule is gone through until it repeats itself, and whole periods are added.
///
/// # Errors
/// [`Error::Setting`] names a setting that cannot work, or a cost that is none.
pub fn predict(costs: &Costs, settings: &Settings) -> Result<Prediction, Error> {
    check(costs, settings)?;
    let predicted = predict_within(costs, settings, u64::MAX);
    predicted.ok_or_else(|| Error::Setting { name: "documents", reason: "there are too many".into() })
}

fn check(costs: &Costs, settings: &Settings) -> Result<(), Error> {
    costs.check()?;
    settings.check(costs.then.is_some())
}

/// The same where it takes no more than so many steps for a pipeline, and the settings can work.
pub(crate) fn predict_within(costs: &Costs, settings: &Settings, steps: u64) -> Option<Prediction> {
    check(costs, settings).ok()?;
    let small = settings.documents / settings.pipelines;
    let large = settings.documents % settings.pipelines;
    let shares = [(small + 1, large), (small, settings.pipelines - large)];
    let predicted =
        shares.into_iter().filter(|(_, pipelines)| *pipelines > 0).map(|(documents, pipelines)| {
            let rules = Rules::new(costs, settings, documents);
            let prediction = predict_one(&rules, settings, steps)?;
            Some((prediction, pipelines * rules.cuts().batches()))
        });
    let predicted: Vec<(Prediction, u64)> = predicted.collect::<Option<_>>()?;
    let batches = predicted.iter().map(|(_, batches)| batches).sum();
    let last = predicted.into_iter().map(|(prediction, _)| prediction);
    let last = last.reduce(|one, other| if other.seconds > one.seconds { other } else { one });
    last.map(|last| Prediction { batches, ..last })
}

/// Whether threads of the engine that wake at the same moment would decide what comes next.
#[cfg(test)]
pub(crate) fn left_to_chance(costs: &Costs, settings: &Settings) -> bool {
    schedule::left_to_chance(&Rules::new(costs, settings, settings.documents))
}

fn predict_one(rules: &Rules, settings: &Settings, steps: u64) -> Option<Prediction> {
    let outcome = match settings.way {
        Way::Sequential => Some(sequential::sequential(rules)),
        _ => closed::closed_form(rules).or_else(|| schedule::schedule_within(rules, steps)),
    };
    outcome.map(|outcome| describe(rules, settings, outcome))
}

fn describe(rules: &Rules, settings: &Settings, outcome: Outcome) -> Prediction {
    let sequential = settings.way == Way::Sequential;
    let devices = if sequential { 1 } else { rules.devices };
    let spent = spent(rules, devices);
    let Outcome { end, first_result, first_submit, last_collect } = outcome;
    let share = |work: f64, of: usize| if end > 0 { work / (of as f64 * seconds(end)) } else { 0.0 };
    let tokens = if sequential { rules.documents } else { rules.tokens as u64 };
    let between = seconds(last_collect - first_submit);
    Prediction {
        seconds: seconds(end),
        bound_s: spent.bound(),
        bottleneck: spent.bottleneck(),
        first_result_s: seconds(first_result),
        tokens,
        batches: rules.cuts().batches(),
        cpu_busy: share(spent.cpu, rules.workers),
        gpu_busy: share(spent.gpu, devices),
        fill_s: seconds(first_submit),
        stalls_s: (between - spent.gpu / devices as f64).max(0.0),
        drain_s: seconds(end - last_collect),
        memory_bytes: (settings.item_bytes > 0).then(|| tokens.saturating_mul(settings.item_bytes)),
    }
}

/// What the whole run spends, for the law of the bound that reports use too.
fn spent(rules: &Rules, devices: usize) -> bound::Spent {
    let documents = Time::from(rules.documents);
    let first = Time::from(if rules.documents > 0 { rules.weight(0) } else { 0 });
    bound::Spent {
        cpu: seconds(documents * (rules.cpu + rules.then.unwrap_or(0))),
        workers: rules.workers as f64,
        first_item: seconds(first * rules.cpu),
        gpu: seconds(rules.device_work()),
        devices: devices as f64,
        items: rules.items as f64,
        source: seconds(documents * rules.source),
        caller: seconds(Time::from(rules.cuts().batches()) * rules.caller),
        ..bound::Spent::default()
    }
}
