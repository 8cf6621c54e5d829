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
}

/// What a run could not be faster than.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Bottleneck {
    /// The workers.
    Cpu,
    /// The device.
    Gpu,
    /// The source, inside its `next`.
    Source,
    /// The caller, between two results.
    Caller,
}

impl Spent {
    fn cpu_share(&self) -> f64 {
        self.cpu / self.workers.max(1.0)
    }

    fn gpu_share(&self) -> f64 {
        self.gpu / self.devices.max(1.0)
    }

    /// The half, or the side, with the most to do.
    pub(crate) fn bottleneck(&self) -> Bottleneck {
        [
            (self.cpu_share(), Bottleneck::Cpu),
            (self.source, Bottleneck::Source),
            (self.caller, Bottleneck::Caller),
            (self.gpu_share(), Bottleneck::Gpu),
        ]
        .into_iter()
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map_or(Bottleneck::Gpu, |(_, bottleneck)| bottleneck)
    }

    /// The best time of any schedule, in seconds.
    ///
    /// A device works its whole share after the first item is prepared; the workers do their whole
    /// share before the device has run the last item; and nothing is faster than the source or the
    /// caller alone.
    pub(crate) fn bound(&self) -> f64 {
        let device = self.first_item + self.gpu_share();
        let last_item = self.gpu / self.items.max(1.0);
        let workers = self.cpu_share() + last_item;
        device.max(workers).max(self.source).max(self.caller)
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
    }
}
