//! What to choose, from costs and limits alone: nothing is measured and nothing is kept here.
//!
//! The wall time of what is left is a closed form. The supply (workers, or the source) and the device
//! each take their share; whichever takes longer decides, with the fill before it or the last batch
//! behind it.

use crate::observe::decision::{Decision, time};

/// What was measured, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Estimate {
    /// CPU work on a document, preparation and `then`, on one worker.
    pub(super) cpu: f64,
    /// CPU work on the slowest document so far.
    pub(super) slowest: f64,
    /// A document inside the source.
    pub(super) source: f64,
    /// The device, a batch, whatever its size.
    pub(super) launch: f64,
    /// The device, a document.
    pub(super) item: f64,
}

/// Who does the work, and within which limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) workers: usize,
    pub(super) devices: usize,
    /// Cores that both halves share, where the device is the CPU.
    pub(super) shared: Option<usize>,
    pub(super) largest: usize,
    pub(super) most_ahead: usize,
    /// Documents that are still to go to the device, where the source tells.
    pub(super) left: Option<u64>,
}

/// What the engine's own hand-overs cost a batch: from the line to the device, and on to the caller.
const HAND_OVER: f64 = 20e-6;
/// Share of a document that a launch costs at least: what few batches tell is not that sure.
const LEAST_LAUNCH: f64 = 0.25;
/// A smaller batch is chosen where it is slower by no more than this share.
const TOLERANCE: f64 = 0.005;
/// A choice is kept where another would be faster by no more than this share.
const WORTH_IT: f64 = 0.03;
/// Share of the supply's pace that leaves the device room for slower documents.
const ROOM: f64 = 0.8;
/// What launches may cost a device in batches of a live source, of its pace in the largest.
const LAUNCHES: f64 = 1.1;
/// Batches that stand for a source of unknown length.
const MANY: f64 = 1e4;

impl Estimate {
    /// The pace at which documents come, in seconds a document.
    fn supply(&self, frame: &Frame) -> f64 {
        self.source.max(self.cpu / frame.workers.max(1) as f64)
    }

    /// A batch, whatever its size, with the hand-overs.
    fn batch(&self) -> f64 {
        self.launch.max(LEAST_LAUNCH * self.item) + HAND_OVER
    }

    /// The pace of the devices at this batch size, in seconds a document.
    fn device(&self, frame: &Frame, size: usize) -> f64 {
        (self.batch() / size as f64 + self.item) / frame.devices.max(1) as f64
    }

    /// How long what is left takes in batches of this size.
    ///
    /// Which documents the last batch holds is not known while small batches go on, so it counts as full:
    /// it comes behind the supply, and of several devices one may run it alone.
    fn wall(&self, frame: &Frame, size: usize) -> f64 {
        let n = size as f64;
        let left = frame.left.map_or(MANY * frame.largest as f64, |left| left.max(1) as f64);
        let devices = frame.devices.max(1) as f64;
        let last = self.batch() + self.item * n.min(left);
        let work = (left / n).ceil() * self.batch() + left * self.item;
        let begin = self.fill(frame, size).min(self.ramp(size));
        let device_bound = begin + work / devices + last * (devices - 1.0) / devices;
        let apart = device_bound.max(left * self.supply(frame) + last);
        frame.shared.map_or(apart, |cores| apart.max((left * self.cpu + work) / cores.max(1) as f64))
    }

    /// How long the device waits until a batch of this size is filled.
    fn fill(&self, frame: &Frame, size: usize) -> f64 {
        size as f64 * self.supply(frame)
    }

    /// What the small batches of a ramp cost the device.
    fn ramp(&self, size: usize) -> f64 {
        self.batch() * (size as f64).log2()
    }

    /// How much longer the slowest document took than others.
    fn behind(&self) -> f64 {
        (self.slowest - self.cpu).max(0.0)
    }
}

/// The batch size: the smallest of those that are as good as the best, with room for slower documents if
/// one has it.
///
/// `now` is the size in use, where one was chosen before: it stays unless another is worth the change.
pub(super) fn batch_size(costs: &Estimate, frame: &Frame, now: Option<usize>) -> usize {
    let walls: Vec<(usize, f64)> = sizes(frame.largest).map(|size| (size, costs.wall(frame, size))).collect();
    let best = walls.iter().map(|(_, wall)| *wall).fold(f64::INFINITY, f64::min);
    if let Some(now) = now.filter(|now| costs.wall(frame, *now) <= best * (1.0 + WORTH_IT)) {
        return now;
    }
    let good = || walls.iter().filter(|(_, wall)| *wall <= best * (1.0 + TOLERANCE)).map(|(size, _)| *size);
    let has_room = |size: &usize| costs.device(frame, *size) <= ROOM * costs.supply(frame);
    good().find(has_room).or_else(|| good().next()).unwrap_or(frame.largest)
}

/// The batch size for a live source, and why. A device that idles takes what there is, so a size only bounds what
/// goes at once where more documents have come than that: then the smallest that loses next to nothing to launches
/// gives the first of them sooner, and where each would be on its way for too long a smaller one.
pub(super) fn for_latency(costs: &Estimate, frame: &Frame, target: Option<f64>) -> (usize, Decision) {
    let pace = |size: usize| costs.device(frame, size);
    let first = |is_right: &dyn Fn(usize) -> bool| {
        sizes(frame.largest).find(|size| is_right(*size)).unwrap_or(frame.largest)
    };
    let cheap = first(&|size| pace(size) <= LAUNCHES * pace(frame.largest));
    let takes = |size: usize| costs.batch() + size as f64 * costs.item;
    let in_time = |target: f64| {
        sizes(frame.largest).take_while(|size| takes(*size) <= target / 2.0).last().unwrap_or(1)
    };
    let wanted = target.map_or(cheap, |target| cheap.min(in_time(target)));
    // Where documents come faster than that gets through them they would wait for ever.
    let size = wanted.max(first(&|size| pace(size) <= ROOM * costs.supply(frame)));
    let goal = target.map(|target| format!(", of the {} that a document may be on its way", time(target)));
    let reason = format!(
        "the source is live: what comes while a batch runs is the next, up to {size} of them, which take {}{}",
        time(takes(size)),
        goal.unwrap_or_default()
    );
    (size, Decision::new("batch_size", size, reason))
}

/// 1, 2, 4, … and the largest.
fn sizes(largest: usize) -> impl Iterator<Item = usize> {
    let doubled = std::iter::successors(Some(1_usize), |size| size.checked_mul(2));
    doubled.take_while(move |size| *size < largest).chain([largest])
}

/// The decision for this batch size, with its reason.
pub(super) fn for_batch_size(costs: &Estimate, frame: &Frame, size: usize) -> Decision {
    let supply = costs.supply(frame);
    let who = if costs.source >= supply { "the source gives" } else { "the workers give" };
    let (launch, item, every) = (time(costs.launch), time(costs.item), time(supply));
    let shared = frame.shared.map_or(String::new(), |cores| format!(", on {cores} cores for both halves"));
    let reason = format!(
        "a batch takes the device {launch} and {item} a document, {who} one every {every}{shared}: {}",
        conclusion(costs, frame, size)
    );
    Decision::new("batch_size", size, reason)
}

fn conclusion(costs: &Estimate, frame: &Frame, size: usize) -> String {
    let device = costs.device(frame, size);
    if device <= costs.supply(frame) {
        let device = time(device);
        format!("at {size} the device keeps up with {device} a document, and nothing is gained by more")
    } else if size == frame.largest {
        "the device is the bottleneck, and the largest batch shares its launch best".into()
    } else {
        let percent = TOLERANCE * 100.0;
        format!("the device is the bottleneck, and no larger batch would be {percent} % faster")
    }
}

/// Batches ahead: one, and as many as the device runs while the slowest document holds up those
/// behind it.
pub(super) fn ahead(costs: &Estimate, frame: &Frame, size: usize) -> (usize, Decision) {
    let pace = size as f64 * costs.device(frame, size).max(costs.supply(frame));
    let held_up = costs.behind() / pace;
    let wanted = 1 + held_up.ceil() as usize;
    let batches = wanted.min(frame.most_ahead).max(1);
    let limited = if wanted > batches { ", and no more are allowed" } else { "" };
    let (slowest, behind) = (time(costs.slowest), time(costs.behind()));
    let reason = format!(
        "the slowest document took {slowest}, {behind} more than the mean: the device runs {held_up:.1} batches \
         meanwhile{limited}"
    );
    (batches, Decision::new("ahead", batches, reason))
}

/// Whether small batches go on until one is full.
pub(super) fn ramp(costs: &Estimate, frame: &Frame, size: usize) -> (bool, Decision) {
    let (idle, small) = (costs.fill(frame, size), costs.ramp(size));
    let on = small < idle;
    let reason = format!(
        "small batches up to {size} cost the device {} of launches, and waiting for a full one {}",
        time(small),
        time(idle)
    );
    (on, Decision::new("ramp", on, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame =
        Frame { workers: 4, devices: 1, shared: None, largest: 64, most_ahead: 8, left: Some(2000) };

    fn chosen(cpu: f64, launch: f64, item: f64) -> usize {
        batch_size(&Estimate { cpu, slowest: cpu, launch, item, ..Estimate::default() }, &FRAME, None)
    }

    #[test]
    fn a_device_that_pays_for_its_launches_gets_the_largest_batch() {
        assert_eq!(chosen(0.001, 0.1, 0.0), 64);
    }

    #[test]
    fn a_device_that_pays_for_documents_gets_no_larger_batch_than_helps() {
        let size = chosen(0.001, 0.0, 0.01);
        assert!((8..64).contains(&size), "{size}");
        assert_eq!(chosen(0.001, 0.001, 0.01), size, "a launch counts as a quarter of a document at least");
    }

    #[test]
    fn a_slow_cpu_half_gets_the_smallest_batch_at_which_the_device_keeps_up() {
        // A document every 10 ms, and 40 ms a launch: five in a batch at least, eight with some room.
        assert_eq!(chosen(0.04, 0.04, 0.001), 8);
        assert_eq!(chosen(0.04, 0.0, 0.001), 1);
    }

    #[test]
    fn a_slow_source_counts_as_a_slow_cpu_half() {
        let costs = Estimate { cpu: 1e-4, source: 0.01, launch: 0.04, item: 0.001, ..Estimate::default() };
        assert_eq!(batch_size(&costs, &FRAME, None), 8);
        let reason = for_batch_size(&costs, &FRAME, 8).reason;
        assert!(reason.contains("the source gives one every 10.00 ms"), "{reason}");
    }

    #[test]
    fn launches_count_where_both_halves_share_the_cores() {
        let costs = Estimate { cpu: 0.04, launch: 0.01, item: 0.001, ..Estimate::default() };
        let apart = batch_size(&costs, &FRAME, None);
        let shared = batch_size(&costs, &Frame { shared: Some(4), ..FRAME }, None);
        assert!(apart < shared, "{apart} {shared}");
    }

    #[test]
    fn a_choice_is_kept_where_another_gains_little() {
        let costs = Estimate { cpu: 0.001, launch: 0.001, item: 0.01, ..Estimate::default() };
        assert_eq!(batch_size(&costs, &FRAME, Some(8)), 8);
        assert_ne!(batch_size(&costs, &FRAME, Some(1)), 1);
    }

    #[test]
    fn costs_of_nothing_still_give_a_size() {
        assert!((1..=64).contains(&chosen(0.0, 0.0, 0.0)));
        assert_eq!(batch_size(&Estimate::default(), &Frame { largest: 1, left: Some(0), ..FRAME }, None), 1);
    }

    #[test]
    fn a_slow_document_asks_for_batches_ahead() {
        let costs = Estimate { cpu: 0.004, slowest: 0.004, launch: 0.0, item: 0.01, source: 0.0 };
        assert_eq!(ahead(&costs, &FRAME, 10).0, 1);
        // Half a second behind one document, in which the device runs five batches of 100 ms.
        let slow = Estimate { slowest: 0.5, ..costs };
        assert_eq!(ahead(&slow, &FRAME, 10).0, 6);
        let few = Frame { most_ahead: 3, ..FRAME };
        assert!(ahead(&slow, &few, 10).1.reason.ends_with("no more are allowed"));
    }

    #[test]
    fn a_ramp_goes_on_where_waiting_costs_more_than_launches() {
        let by_item = Estimate { cpu: 0.004, launch: 0.0001, item: 0.01, ..Estimate::default() };
        assert!(ramp(&by_item, &FRAME, 32).0);
        let by_launch = Estimate { cpu: 0.004, launch: 1.0, item: 0.0, ..Estimate::default() };
        assert!(!ramp(&by_launch, &FRAME, 32).0);
    }
}
