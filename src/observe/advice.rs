//! Advice from the numbers of a report: a sentence on what to change, and what it would bring.

use super::bound::Bottleneck;
use super::changes::{Change, What};
use super::report::Report;
use crate::error::OneLine;

/// Distance from the bound, in percent, below which the schedule is not what to work on.
const NEAR: f64 = 5.0;

/// What to change, and what that would bring.
pub(crate) fn advise(report: &Report) -> String {
    let best = best(report);
    let advice = sentence(report, best);
    match best {
        Some(Change { what, seconds, saving_s, .. }) => format!(
            "{advice} By the costs of this run {what} would take {seconds:.3} s, {saving_s:.3} s less."
        ),
        None => advice,
    }
}

/// The change that is worth most: of the settings, unless only a faster GPU is worth something.
fn best(report: &Report) -> Option<&Change> {
    let gpu = |change: &&Change| matches!(change.what, What::GpuTime(_));
    let worth = |change: &&Change| change.saving_s * 100.0 > NEAR * report.wall_s;
    let most = |one: &&Change, other: &&Change| one.saving_s.total_cmp(&other.saving_s);
    let settings = || report.changes.iter().filter(|change| !gpu(change));
    let faster = || report.changes.iter().filter(gpu).find(worth);
    let half = matches!(report.bottleneck, Bottleneck::Cpu | Bottleneck::Gpu);
    let any = || settings().max_by(most).filter(|change| half && little(change));
    settings().filter(worth).max_by(most).or_else(faster).or_else(any)
}

/// Whether a small change is worth a sentence.
fn little(change: &&Change) -> bool {
    change.saving_s > 0.0005
}

/// What the run shows. Nothing that contradicts the change that is named behind it: that only something else helps is
/// said where there is none.
fn sentence(report: &Report, best: Option<&Change>) -> String {
    if report.accounts.delivered == 0 {
        return nothing_came_out(report);
    }
    if report.cpu.workers == 0 {
        return "Everything ran in the caller, in turns: with workers the halves overlap.".into();
    }
    if report.tokens.is_none() {
        return "This was the baseline, all CPU and then all GPU: run overlaps them.".into();
    }
    if let Some(device) =
        report.devices.iter().find(|device| device.rebuilding_s * 100.0 > NEAR * report.wall_s)
    {
        return format!(
            "The device {} was lost {} ×, and {:.3} s went into making it again: look at its driver's log first.",
            OneLine(&device.name),
            device.losses,
            device.rebuilding_s
        );
    }
    match report.bottleneck {
        Bottleneck::Idle => {
            "The run kept up with its source and waited for documents: there is nothing to change.".into()
        }
        Bottleneck::Source => {
            "The source is the bottleneck: make its `next` cheaper, and move work into the CPU stage.".into()
        }
        Bottleneck::Caller => {
            "The caller is the bottleneck: move what it does with each result into `then`.".into()
        }
        Bottleneck::Cores => cores(report),
        Bottleneck::Gpu => gpu(report, best),
        Bottleneck::Cpu => cpu(report, best),
    }
}

fn nothing_came_out(report: &Report) -> String {
    match report.accounts.failed {
        0 => "No document came out yet, so there is nothing to say.".into(),
        _ => "No document came out with a result: look at the failures first.".into(),
    }
}

fn cores(report: &Report) -> String {
    format!(
        "Both halves share {}, which were full: less work, more cores or a GPU of its own help.",
        cores_in_words(report.cores)
    )
}

fn cores_in_words(cores: usize) -> String {
    if cores == 1 { "one core".into() } else { format!("{cores} cores") }
}

fn gpu(report: &Report, best: Option<&Change>) -> String {
    let Report { fill_s: fill, stalls_s: stalls, drain_s: drain, .. } = *report;
    let what = best.map(|change| change.what);
    if report.above_bound_percent < NEAR {
        let found = "The GPU is the bottleneck and has no gaps";
        match what {
            Some(What::BatchSize(_)) => {
                format!("{found}, but its launches take much of the time: larger batches help.")
            }
            Some(What::Devices(_)) => format!(
                "{found}, but it computes on one of {}: another such device uses more of them.",
                cores_in_words(report.cores)
            ),
            Some(What::GpuTime(_)) | None if knows_other_sizes(report) || report.shares_cpu() => {
                format!("{found}: only a faster device or a smaller network helps.")
            }
            Some(What::GpuTime(_)) | None => format!(
                "{found}: a faster device, a smaller network or larger batches may help; what a larger batch costs \
                 is known after a run with ramp(true)."
            ),
            Some(_) => format!("{found}."),
        }
    } else if fill >= stalls.max(drain) {
        format!(
            "The GPU waited {fill:.3} s for its first batch: a smaller batch_size, or ramp(true), starts it earlier."
        )
    } else if drain > stalls {
        format!(
            "After the GPU's last batch the run took another {drain:.3} s: make `then`, or the caller, cheaper."
        )
    } else if report.devices.iter().any(|device| device.depth < device.most_depth) {
        format!("The GPU had gaps of {stalls:.3} s in all: raise ahead, or the depth of the GPU stage.")
    } else {
        format!("The GPU had gaps of {stalls:.3} s in all: raise ahead.")
    }
}

/// Whether the run shows what batches of another size cost.
fn knows_other_sizes(report: &Report) -> bool {
    report.changes.iter().any(|change| matches!(change.what, What::BatchSize(_)))
}

fn cpu(report: &Report, best: Option<&Change>) -> String {
    let Report { stalls_s: stalls, drain_s: drain, .. } = *report;
    if report.above_bound_percent < NEAR {
        let found = "The CPU half is the bottleneck and the workers are busy";
        match best.map(|change| change.what) {
            Some(What::Workers(_)) => format!("{found}: more workers or a cheaper CPU stage helps."),
            Some(_) => format!("{found}."),
            None if report.cpu.workers >= report.cores => {
                format!(
                    "{found}, on {}: a cheaper CPU stage, or more cores, help.",
                    cores_in_words(report.cores)
                )
            }
            None => format!("{found}: a cheaper CPU stage helps."),
        }
    } else if drain > stalls {
        format!(
            "The GPU took {drain:.3} s after the last document was prepared: a smaller batch_size shortens that."
        )
    } else {
        format!("The workers idled for {stalls:.3} s: raise ahead, so that a slow document holds nobody up.")
    }
}
