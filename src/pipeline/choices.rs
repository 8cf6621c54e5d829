//! The settings of a pipeline that can be left to gapless, and the memory that bounds them.

use super::Pipeline;
use crate::engine::settings::{Ahead, BatchSize, Memory, Ramp};

impl<D, C, G, A, M> Pipeline<D, C, G, A, M> {
    /// Documents a batch: a number, or [`Auto.up_to(most)`](crate::Auto::up_to). Default 16; 0 is an error.
    ///
    /// With `Auto` everything is allocated for the largest, and the first batches are small: 1 document,
    /// then whatever stands when the device has nothing to do, at least 2, 4, 8, …. As soon as their times
    /// tell what a batch costs and what a document does (two sizes, one 8 times the other or the largest, or
    /// six batches), the smallest size is taken that is as good as the best: at which the device keeps up
    /// with the workers or the source, or else beyond which a batch gains less than 0.5 %. A source that
    /// knows its length ([`Iterator::size_hint`]) lets it count the last batch too. It looks again at twice
    /// as many batches: it chooses again where documents come 1.5 times as fast or slow as before, and learns
    /// again where batches take 1.25 times what was expected. [`Report::decisions`] says what and why.
    ///
    /// Where costs stay what they are, a run of 25 of its largest batches a device, or more, takes at most 5 %
    /// longer than with the best fixed settings. A shorter one pays for what it learns: on one device, one
    /// batch of one document and the time in which eight documents come, and no more.
    ///
    /// Cuts then depend on measured time. With `workers(0)` and in [`run_sequential`](Self::run_sequential)
    /// they do not: the largest is taken. With [`per_batch`](Pipeline::per_batch) `Auto` is an error.
    /// [`LastBatch::Pad`](crate::LastBatch::Pad) fills up to the size that is chosen, and no batch before it.
    ///
    /// [`Report::decisions`]: crate::Report::decisions
    ///
    /// ```
    /// use gapless::{Auto, Cause, Pipeline};
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    /// let mut run = Pipeline::new(cpu, gpu).workers(2).batch_size(Auto.up_to(64)).run(0..10_000);
    /// assert_eq!(run.by_ref().map(|batch| batch.unwrap().len()).sum::<usize>(), 10_000);
    /// let report = run.report();
    /// let chosen = report.decisions.iter().rfind(|decision| decision.setting == "batch_size").unwrap();
    /// assert!((1..=64).contains(&chosen.value.parse::<usize>().unwrap()), "{report}");
    /// ```
    pub fn batch_size(mut self, documents: impl Into<BatchSize>) -> Self {
        let documents = documents.into();
        self.how.settings.asked.batch_size = matches!(documents, BatchSize::UpTo(_));
        let (BatchSize::Exactly(most) | BatchSize::UpTo(most)) = documents;
        self.how.settings.batch_size = most;
        self
    }

    /// Batches that may be prepared ahead of the devices: a number, or [`Auto`](crate::Auto). Default 2, and
    /// more for plain items; 0 is an error.
    ///
    /// It bounds memory: tokens are `ahead` batches, those in flight on the devices, and the one being
    /// filled, and one more with `then`; never fewer than two batches and four items a
    /// worker. With `per_batch` they are the workers, `ahead` and the devices' depths, in batches.
    ///
    /// Plain items are those of which nothing owns memory: neither the document, nor what is prepared
    /// from it, nor its part of the output ([`Output::ROW_BYTES`](crate::Output::ROW_BYTES)), nor what
    /// `then` makes of that. More of them in flight cost next to nothing, and trivial work on them takes
    /// little more than half the time. So there are at least 512 tokens for them, or as many as take 64 KiB, unless
    /// `ahead` or `max_wait` is set, or `workers` is 0. Set `ahead` where each stands for something scarce
    /// or takes long, and fewer should be begun; [`Run::tokens`](crate::Run::tokens) says how many there are.
    ///
    /// With `Auto` there are tokens for 8, or for as many as [`memory`](Self::memory) holds. 2 are used until
    /// costs are known; then one, and as many as the device runs while the slowest document holds up those
    /// behind it. With `workers(0)`, in [`run_sequential`](Self::run_sequential) and with `per_batch` it is 2.
    pub fn ahead(mut self, batches: impl Into<Ahead>) -> Self {
        let batches = batches.into();
        self.how.settings.asked.ahead = batches == Ahead::Auto;
        self.how.settings.common.ahead = match batches {
            Ahead::Auto => None,
            Ahead::Exactly(batches) => Some(batches),
        };
        self
    }

    /// Whether the first batches are 1, 2, 4, … documents, so that the device starts early: a flag, or
    /// [`Auto`](crate::Auto). Default off, and `Auto` where the batch size is: it costs time where a small
    /// batch takes the device as long as a full one.
    ///
    /// With `Auto` a device that has nothing to do gets what stands, until costs are known; small batches go
    /// on after that if their launches cost less than waiting for a full one. Cuts then depend on measured time.
    /// With `workers(0)`, in [`run_sequential`](Self::run_sequential) and with `per_batch` it is off.
    pub fn ramp(mut self, ramp: impl Into<Ramp>) -> Self {
        let ramp = ramp.into();
        self.how.settings.asked.ramp = ramp == Ramp::Auto;
        self.how.settings.asked.ramp_is_set = true;
        self.how.settings.ramp = ramp == Ramp::On;
        self
    }

    /// Memory that prepared items may take: bytes, or [`Memory::of`](crate::Memory::of) with the size of an
    /// item. Default: as much as the other settings ask for.
    ///
    /// A prepared item counts as the most that it can take, from the token on that is taken for it to the
    /// batch that is handed to the caller; so there are never more tokens than the memory holds. What one
    /// takes is said by the CPU stage ([`CpuStage::prepared_bytes`](crate::CpuStage::prepared_bytes): a `Loader` with both sides does, and
    /// every type that owns no memory), or here. Documents, outputs, and what the device allocates when it
    /// is opened do not count.
    ///
    /// `Auto` stays within it: the largest batch and `ahead` become smaller. Fixed settings that do not
    /// fit are an error, and so are memory for less than two items and items of unknown size.
    ///
    /// ```
    /// use gapless::{Auto, Cause, Memory, Pipeline};
    /// let cpu = |n: &mut u8| Ok::<_, Cause>(vec![*n; 1000]);
    /// let gpu = |batch: &[Vec<u8>]| Ok::<_, Cause>(batch.iter().map(Vec::len).collect::<Vec<_>>());
    /// let pipeline = Pipeline::new(cpu, gpu).batch_size(Auto.up_to(256)).ahead(Auto);
    /// let run = pipeline.memory(Memory::of(100_000).item(1000)).run(0..200);
    /// assert!(run.tokens() <= 100);
    /// ```
    pub fn memory(mut self, memory: impl Into<Memory>) -> Self {
        self.how.settings.memory = Some(memory.into());
        self
    }
}
