//! The bound: the best time that any schedule could reach with the costs measured in a run.

/// What a run spent in all, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// CPU work, preparation and `then`, summed over the workers.
    pub(crate) cpu: f64,
    pub(crate) workers: f64,
    /// CPU work on the first item: no device can start before it is prepared.
    pub(crate) first_item: f64,
    /// Time in which a device had work, summed over the devices.
    pub(crate) gpu: f64,
    pub(crate) devices: f64,
    /// Items that went through the devices.
    pub(crate) items: f64,
    /// Time inside the source's `next`.
    pub(crate) source: f64,
    /// Time that the caller spent between two calls of `next`.
    pub(crate) caller: f64,
    /// Processor time of both halves, and the part of it that is the devices'.
    pub(crate) processor: f64,
    pub(crate) of_devices: f64,
    /// Cores that it comes from; 0 where that is not known.
    pub(crate) cores: f64,
    /// Whether the source is live: its documents come when they come, and waiting for them is no work.
    pub(crate) live: bool,
}

/// What a run could not be faster than.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Bottleneck {
    /// The workers.
    Cpu,
    /// The device.
    Gpu,
    /// All cores that the process may use, which both halves share.
    Cores,
    /// The source, inside its `next`.
    Source,
    /// The caller, between two results; also where nothing was measured yet.
    #[default]
    Caller,
    /// Nothing: the run kept up with a live source, and waited for documents.
    Idle,
}

/// Cores are the bottleneck where they take longer than anything else by more than this share.
const MORE: f64 = 1.02;
/// A smaller share of the processor time than this is not what fills the cores.
const NOTABLE: f64 = 0.1;

impl Spent {
    fn cpu_share(&self) -> f64 {
        self.cpu / self.workers.max(1.0)
    }

    fn gpu_share(&self) -> f64 {
        self.gpu / self.devices.max(1.0)
    }

    /// The half, or the side, with the most to do.
    pub(crate) fn bottleneck(&self) -> Bottleneck {
        let waits = if self.live { Bottleneck::Idle } else { Bottleneck::Source };
        let alone = [
            (self.cpu_share(), Bottleneck::Cpu),
            (self.source, waits),
            (self.caller, Bottleneck::Caller),
            (self.gpu_share(), Bottleneck::Gpu),
        ];
        let most = alone.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b));
        let (most, bottleneck) = most.unwrap_or((0.0, Bottleneck::Gpu));
        if self.cores_share() <= MORE * most {
            bottleneck
        } else if self.of_devices > NOTABLE * self.processor {
            Bottleneck::Cores
        } else {
            Bottleneck::Cpu
        }
    }

    /// How long the cores take for what both halves cost them.
    pub(crate) fn cores_share(&self) -> f64 {
        if self.cores > 0.0 { self.processor / self.cores } else { 0.0 }
    }

    /// The best time of any schedule, in seconds.
    ///
    /// A device works its whole share after the first item is prepared; the workers do their whole
    /// share before the device has run the last item; and nothing is faster than the source or the
    /// caller alone, or than the cores that the process may use.
    pub(crate) fn bound(&self) -> f64 {
        let device = self.first_item + self.gpu_share();
        let last_item = self.gpu / self.items.max(1.0);
        let workers = self.cpu_share() + last_item;
        device.max(workers).max(self.source).max(self.caller).max(self.cores_share())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment() -> Spent {
        Spent {
            cpu: 64.0,
            workers: 4.0,
            first_item: 1.0 / 16.0,
            gpu: 128.0,
            devices: 1.0,
            items: 1024.0,
            ..Spent::default()
        }
    }

    #[test]
    fn the_experiment_is_bound_by_one_document_and_the_device() {
        assert_eq!(experiment().bound(), 128.0625);
        assert_eq!(experiment().bottleneck(), Bottleneck::Gpu);
    }

    #[test]
    fn a_slow_cpu_half_is_bound_by_the_workers_and_the_last_item() {
        let spent = Spent { cpu: 1024.0, ..experiment() };
        assert_eq!(spent.bound(), 256.0 + 0.125);
        assert_eq!(spent.bottleneck(), Bottleneck::Cpu);
    }

    #[test]
    fn a_caller_or_a_source_that_takes_longer_is_the_bottleneck() {
        assert_eq!(Spent { caller: 500.0, ..experiment() }.bottleneck(), Bottleneck::Caller);
        assert_eq!(Spent { source: 500.0, ..experiment() }.bound(), 500.0);
        assert_eq!(Spent { source: 500.0, live: true, ..experiment() }.bottleneck(), Bottleneck::Idle);
    }

    #[test]
    fn cores_that_both_halves_share_are_the_bottleneck_where_they_are_full() {
        let shared = Spent { processor: 192.0, of_devices: 128.0, cores: 1.0, ..experiment() };
        assert_eq!((shared.bottleneck(), shared.bound()), (Bottleneck::Cores, 192.0));
        assert_eq!(Spent { cores: 2.0, ..shared }.bottleneck(), Bottleneck::Gpu);
        let workers = Spent { processor: 64.0, of_devices: 0.0, cores: 0.25, ..experiment() };
        assert_eq!(workers.bottleneck(), Bottleneck::Cpu, "the device does not work on them");
    }
}
