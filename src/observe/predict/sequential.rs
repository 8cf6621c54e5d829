//! All CPU work, then all GPU work: what overlap is measured against.

use super::rules::{Rules, Time};
use super::schedule::Outcome;

/// The workers end first; then the caller runs the first device, and does its own work between.
pub(super) fn sequential(rules: &Rules) -> Outcome {
    let start = prepared(rules);
    let cuts = rules.cuts();
    let batches = Time::from(cuts.batches());
    if batches == 0 {
        return Outcome::default();
    }
    let first = rules.gpu(cuts.ramp.first().copied().unwrap_or(rules.batch.min(rules.items)));
    let work = rules.device_work();
    let device_done = if rules.depth == 1 || rules.caller == 0 {
        work + (batches - 1) * rules.caller
    } else {
        beside_the_caller(rules)
    };
    Outcome {
        end: start + device_done + rules.caller,
        first_result: start + first,
        first_submit: start,
        last_collect: start + device_done,
    }
}

/// When the last document is prepared: a worker is free when the document `workers` before is done.
///
/// `C(j) = max(pushed(j), C(j - W)) + c` with `pushed(j) = (j + 1)·s` is the largest of sums along which `c`
/// is paid once or as often as the workers come round.
fn prepared(rules: &Rules) -> Time {
    let (documents, workers) = (Time::from(rules.documents), rules.workers as Time);
    if documents == 0 {
        return 0;
    }
    let by_source = documents * rules.source + rules.cpu;
    let by_workers = ((documents - 1) % workers + 1) * rules.source + documents.div_ceil(workers) * rules.cpu;
    by_source.max(by_workers)
}

/// The device has the next batches in while the caller works: batch by batch.
fn beside_the_caller(rules: &Rules) -> Time {
    let cuts = rules.cuts();
    let full = std::iter::repeat_n(rules.batch, usize::try_from(cuts.full).unwrap_or(usize::MAX));
    let sizes = cuts.ramp.iter().copied().chain(full).chain((cuts.last > 0).then_some(cuts.last));
    // When the caller was free after each of the last batches: that is when the batch `depth` later goes in.
    let mut free = std::collections::VecDeque::from(vec![0; rules.depth]);
    let (mut device, mut caller, mut collected) = (0, 0, 0);
    for size in sizes {
        let submitted: Time = free.pop_front().unwrap_or(0);
        device = submitted.max(device) + rules.gpu(size);
        collected = device.max(caller);
        caller = collected + rules.caller;
        free.push_back(caller);
    }
    collected
}
