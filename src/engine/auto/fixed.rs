//! What is chosen before a run starts, since nothing that is measured could change it.

use super::FIRST_AHEAD;
use crate::engine::seam::Pool;
use crate::engine::settings::{Settings, WorkerCount};
use crate::observe::decision::Decision;

/// Decides what needs no measuring, and takes it from what is asked.
pub(crate) fn before_the_run(settings: &mut Settings, sequential: bool, shares_cpu: bool) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = workers(settings, shares_cpu).into_iter().collect();
    let inline = settings.common.pool().threads() == 0;
    let why = if settings.whole_batches {
        "with per_batch an item is a batch, cut before anything is measured"
    } else if inline {
        "the caller does everything in turn, so that larger batches only save launches"
    } else if sequential {
        "everything is prepared before the device starts, so that larger batches only save launches"
    } else {
        return decisions;
    };
    let asked = std::mem::take(&mut settings.asked);
    if asked.batch_size {
        decisions.push(Decision::new("batch_size", settings.batch_size, why));
    }
    if asked.ahead {
        settings.common.ahead = Some(settings.ahead().min(FIRST_AHEAD));
        decisions.push(Decision::new("ahead", settings.ahead(), why));
    }
    if asked.ramp() {
        decisions.push(Decision::new("ramp", false, why));
    }
    decisions
}

fn workers(settings: &Settings, shares_cpu: bool) -> Option<Decision> {
    let threads = settings.common.pool().threads();
    match settings.common.pool() {
        Pool::Private(_) if settings.common.workers == WorkerCount::Auto => {
            let reason = if shares_cpu {
                "one a core that this process may use; the device runs on them too, and the system shares them out"
            } else {
                "one a core that this process may use"
            };
            Some(Decision::new("workers", threads, reason))
        }
        Pool::Private(_) | Pool::Outside(_) => None,
    }
}
