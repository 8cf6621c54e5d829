//! One sentence of advice, from the numbers of a report.

use super::bound::Bottleneck;
use super::report::Report;

/// Distance from the bound, in percent, below which the schedule is not what to work on.
const NEAR: f64 = 5.0;

/// What to change, in one sentence.
pub(crate) fn advise(report: &Report) -> String {
    if report.accounts.delivered == 0 {
        return "No document came out with a result: look at the failures first.".into();
    }
    if report.shares_cpu() {
        return "The device shares the CPU with the workers, so overlap cannot gain much here; on a GPU of its own it does.".into();
    }
    let near = report.above_bound_percent < NEAR;
    match report.bottleneck {
        Bottleneck::Gpu if near => "The GPU is the bottleneck and has no gaps: only a faster device or a smaller network helps.".into(),
        Bottleneck::Gpu if report.fill_s >= report.stalls_s.max(report.drain_s) => {
            format!("The GPU waited {:.3} s for its first batch: a smaller batch_size, or ramp(true), starts it earlier.", report.fill_s)
        }
        Bottleneck::Gpu => format!("The GPU had gaps of {:.3} s in all: raise ahead, or the depth of the GPU stage.", report.stalls_s),
        Bottleneck::Cpu if near => "The CPU half is the bottleneck and the workers are busy: more workers or a cheaper CPU stage helps.".into(),
        Bottleneck::Cpu => format!("The workers idled for {:.3} s: raise ahead, so that a slow document holds nobody up.", report.stalls_s),
        Bottleneck::Source => "The source is the bottleneck: make its `next` cheaper, and move work into the CPU stage.".into(),
        Bottleneck::Caller => "The caller is the bottleneck: move what it does with each result into `then`.".into(),
    }
}
