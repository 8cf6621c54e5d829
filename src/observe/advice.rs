//! One sentence of advice, from the numbers of a report.

use super::bound::Bottleneck;
use super::report::Report;

/// Distance from the bound, in percent, below which the schedule is not what to work on.
const NEAR: f64 = 5.0;

/// What to change, in one sentence.
pub(crate) fn advise(report: &Report) -> String {
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
            device.name, device.losses, device.rebuilding_s
        );
    }
    match report.bottleneck {
        Bottleneck::Source => "The source is the bottleneck: make its `next` cheaper, and move work into the CPU stage.".into(),
        Bottleneck::Caller => "The caller is the bottleneck: move what it does with each result into `then`.".into(),
        _ if report.shares_cpu() => {
            "The device shares the CPU with the workers, so overlap cannot gain much here; on a GPU of its own it does.".into()
        }
        Bottleneck::Gpu => gpu(report),
        Bottleneck::Cpu => cpu(report),
    }
}

fn nothing_came_out(report: &Report) -> String {
    match report.accounts.failed {
        0 => "No document came out yet, so there is nothing to say.".into(),
        _ => "No document came out with a result: look at the failures first.".into(),
    }
}

fn gpu(report: &Report) -> String {
    let Report { fill_s: fill, stalls_s: stalls, drain_s: drain, .. } = *report;
    if report.above_bound_percent < NEAR {
        "The GPU is the bottleneck and has no gaps: only a faster device or a smaller network helps.".into()
    } else if fill >= stalls.max(drain) {
        format!(
            "The GPU waited {fill:.3} s for its first batch: a smaller batch_size, or ramp(true), starts it earlier."
        )
    } else if drain > stalls {
        format!(
            "After the GPU's last batch the run took another {drain:.3} s: make `then`, or the caller, cheaper."
        )
    } else {
        format!("The GPU had gaps of {stalls:.3} s in all: raise ahead, or the depth of the GPU stage.")
    }
}

fn cpu(report: &Report) -> String {
    let Report { stalls_s: stalls, drain_s: drain, .. } = *report;
    if report.above_bound_percent < NEAR {
        "The CPU half is the bottleneck and the workers are busy: more workers or a cheaper CPU stage helps."
            .into()
    } else if drain > stalls {
        format!(
            "The GPU took {drain:.3} s after the last document was prepared: a smaller batch_size shortens that."
        )
    } else {
        format!("The workers idled for {stalls:.3} s: raise ahead, so that a slow document holds nobody up.")
    }
}
