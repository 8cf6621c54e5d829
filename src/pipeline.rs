//! The public face of the engine: a pipeline of two halves, its settings, and its run.
//!
//! A pipeline is a definition and does nothing; [`Pipeline::run`] checks it and starts the engine.

mod batch;
mod begin;
mod choices;
mod drive;
#[cfg(feature = "stream")]
mod from_stream;
pub(crate) mod gather;
mod halves;
mod handle;
pub(crate) mod how;
mod job;
mod mode;
#[cfg(feature = "stream")]
mod opening;
mod run;
mod scope;
mod serve;
pub(crate) mod setters;
#[cfg(feature = "stream")]
mod stream;
#[cfg(test)]
mod tests;
mod watch;
pub(crate) mod without_device;

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

pub use self::batch::{Batch, IntoIter};
pub(crate) use self::drive::Driven;
pub use self::halves::{Chain, Halves};
pub use self::handle::Handle;
use self::how::How;
pub use self::mode::{Mode, PerBatch, PerDocument};
pub use self::run::{Run, ScopedRun};
pub use self::scope::{Scope, scope};
pub use self::serve::{Answer, Asked, Server, Submitter, Unanswered, Why};
#[cfg(feature = "stream")]
pub use self::stream::RunStream;
pub(crate) use crate::engine::guard::{drop_each, drop_user, guard};
pub use crate::engine::road::job::{After, AsItIs, Then};
use crate::engine::settings::{LastBatch, Settings};
use crate::engine::start::Free;
use crate::stage::{CpuStage, GpuStage, IntoResult, Rows};

/// A CPU half and a GPU half, and how they are to run.
///
/// Workers prepare documents one by one; a device thread runs them in batches; results come out in
/// the order of the source while the rest still runs.
///
/// ```
/// use gapless::{Cause, Pipeline};
///
/// let prepare = |text: &mut String| Ok::<_, Cause>(text.parse::<f32>()?);
/// let gpu = |batch: &[f32]| Ok::<_, Cause>(batch.iter().map(|x| x * x).collect::<Vec<f32>>());
///
/// let documents = (0..100).map(|n| n.to_string());
/// let mut squares = Vec::new();
/// for batch in Pipeline::new(prepare, gpu).batch_size(16).run(documents) {
///     squares.extend(batch?.rows().map(|(_, square)| *square));
/// }
/// assert_eq!(squares[99], 99.0 * 99.0);
/// # Ok::<(), gapless::Error>(())
/// ```
#[must_use = "a pipeline does nothing until it is run"]
pub struct Pipeline<D, C, G, A = AsItIs, M = PerDocument> {
    cpu: C,
    devices: Vec<G>,
    after: A,
    how: How<Settings>,
    /// A [`LastBatch`] of what the CPU half prepares, where one was set.
    last_batch: Option<AnyLastBatch>,
    kind: PhantomData<fn() -> (D, M)>,
}

type AnyLastBatch = Box<dyn Any + Send + Sync>;

// Bounds stand on functions: so a pipeline can be held without them, and the compiler says of a stage that is none
// what it lacks, and not that a method is not there.

impl<D, C, G> Pipeline<D, C, G> {
    /// A pipeline whose CPU half works document by document.
    ///
    /// Where the GPU half computes on the CPU with one core ([`GpuStage::split`]: the twins do), it takes as many of
    /// them as the process has cores, each on a thread of its own; [`on_devices`](Self::on_devices) takes as many as
    /// it is given.
    pub fn new(cpu: C, gpu: G) -> Self
    where
        D: Send,
        C: CpuStage<D>,
        G: GpuStage<C::Prepared>,
    {
        Self::assemble(cpu, vec![gpu], AsItIs(())).split()
    }

    /// A pipeline with several device threads, one a stage, that share the batches.
    ///
    /// Results come out in the order of the source all the same. With `workers(0)` and in
    /// [`run_sequential`](Self::run_sequential) only the first is used.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |n: &mut u32| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u32]| Ok::<_, Cause>(batch.to_vec());
    /// let run = Pipeline::on_devices(cpu, vec![gpu, gpu]).batch_size(2).run(0..10);
    /// let numbers: Vec<u32> = run.flat_map(|batch| batch.unwrap().into_parts().0).collect();
    /// assert_eq!(numbers, Vec::from_iter(0..10));
    /// ```
    pub fn on_devices(cpu: C, devices: Vec<G>) -> Self
    where
        D: Send,
        C: CpuStage<D>,
        G: GpuStage<C::Prepared>,
    {
        Self::assemble(cpu, devices, AsItIs(()))
    }

    /// Works on each document and its row after the GPU, on the same workers: encode, write,
    /// non-maximum suppression. A batch then carries the results as a `Vec`.
    ///
    /// It comes before new preparation, keeps the order, and holds one more batch of tokens. An `Err`
    /// or a panic is a failure of that document alone.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |n: &mut u32| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u32]| Ok::<_, Cause>(batch.to_vec());
    /// let text = |_: &mut u32, row: &u32| Ok::<_, Cause>(format!("{row}!"));
    /// let mut run = Pipeline::new(cpu, gpu).then(text).run([1, 2]);
    /// assert_eq!(run.next().unwrap().unwrap().output(), Some(&vec!["1!".to_string(), "2!".to_string()]));
    /// ```
    pub fn then<F, R>(self, function: F) -> Pipeline<D, C, G, Then<F>>
    where
        D: Send,
        C: CpuStage<D>,
        G: GpuStage<C::Prepared, Output: Rows>,
        F: Fn(&mut D, <G::Output as Rows>::Row<'_>) -> R + Send + Sync,
        R: IntoResult<Value: Send + Sync>,
    {
        let Self { cpu, devices, how, last_batch, .. } = self;
        Pipeline { cpu, devices, after: Then(function), how, last_batch, kind: PhantomData }
    }
}

impl<D, C, G> Pipeline<D, C, G, AsItIs, PerBatch> {
    /// A pipeline whose CPU half takes a whole batch in one call, as `map_batch` of others does.
    ///
    /// The source is cut into batches first; the GPU half gets one prepared item a call. Where the CPU
    /// half can work document by document, [`new`](Pipeline::new) starts the device sooner: here the
    /// first batch is prepared by one worker alone.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let sum = |batch: &mut Vec<u32>| Ok::<_, Cause>(batch.iter().sum::<u32>());
    /// let double = |sums: &[u32]| Ok::<_, Cause>(2 * sums[0]);
    /// let run = Pipeline::per_batch(sum, double).batch_size(4).run(0..8);
    /// let sums: Vec<u32> = run.map(|batch| *batch.unwrap().output().unwrap()).collect();
    /// assert_eq!(sums, [2 * (0 + 1 + 2 + 3), 2 * (4 + 5 + 6 + 7)]);
    /// ```
    pub fn per_batch(cpu: C, gpu: G) -> Self
    where
        D: Send,
        C: CpuStage<Vec<D>>,
        G: GpuStage<C::Prepared>,
    {
        Self::assemble(cpu, vec![gpu], AsItIs(())).split()
    }
}

impl<D, C, G, A, M> Pipeline<D, C, G, A, M> {
    fn assemble(cpu: C, devices: Vec<G>, after: A) -> Self {
        Self { cpu, devices, after, how: How::default(), last_batch: None, kind: PhantomData }
    }

    /// The same, with as many devices as pay, where one is the CPU.
    fn split(mut self) -> Self {
        self.how.settings.split = true;
        self
    }

    /// The same, to be run like this.
    #[cfg(feature = "doc")]
    pub(crate) fn how(self, how: How) -> Self {
        Self { how: how.over(self.how.settings), ..self }
    }

    /// What becomes of a last batch that is not full. Default [`LastBatch::Short`].
    ///
    /// ```
    /// use gapless::{Cause, LastBatch, Pipeline};
    /// let cpu = |n: &mut u32| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u32]| { assert_eq!(batch.len(), 4); Ok::<_, Cause>(batch.to_vec()) };
    /// let run = Pipeline::new(cpu, gpu).batch_size(4).last_batch(LastBatch::Pad(Clone::clone)).run(0..6);
    /// assert_eq!(run.map(|batch| batch.unwrap().rows().count()).sum::<usize>(), 6);
    /// ```
    pub fn last_batch(mut self, last_batch: LastBatch<C::Prepared>) -> Self
    where
        M: Mode<D>,
        C: CpuStage<M::Item, Prepared: 'static>,
    {
        self.last_batch = Some(Box::new(last_batch));
        self
    }

    /// For a live source: a device that idles cuts what there is when a document has waited this long, or at once
    /// where no other is on its way; and no document waits for its neighbours before it is prepared. Default none: a batch waits until it is
    /// full. 0 is an error. A source that waits for results of its own run needs it. With `workers(0)` the
    /// caller itself waits in the source, and nothing is cut meanwhile.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.how.settings.max_wait = Some(wait);
        self
    }

    /// For a live source: how long a document may be on its way, from when it is pulled until it is handed over. It
    /// is a goal, and no limit. With [`Auto`](crate::Auto) as batch size no batch is larger than the device runs in
    /// half of it; without [`max_wait`](Self::max_wait) a document waits for others for no more than a quarter of it.
    /// [`Report::latency`](crate::Report::latency) says what was reached. Default none. 0 is an error.
    ///
    /// ```
    /// use gapless::{Auto, Cause, Pipeline};
    /// use std::time::Duration;
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    /// let (requests, source) = std::sync::mpsc::sync_channel(16);
    /// let live = Pipeline::new(cpu, gpu).batch_size(Auto.up_to(64)).target_latency(Duration::from_millis(20));
    /// let mut run = live.run(source);
    /// requests.send(17).unwrap();
    /// assert_eq!(run.next().unwrap()?.output(), Some(&vec![17]), "it waits for no other");
    /// drop(requests);
    /// assert!(run.next().is_none());
    /// assert_eq!(run.report().latency.unwrap().whole.count, 1);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn target_latency(mut self, goal: Duration) -> Self {
        self.how.settings.target_latency = Some(goal);
        self
    }

    /// Has the workers run the devices, in turn with their own work: for a GPU half that computes on the CPU, which
    /// would else compete with them for the cores. Rows for `then` come first, then a batch that is ready, then
    /// preparation. rayon in the stage uses the same workers. Default no: each device has a thread of its own.
    /// Without meaning where the caller runs the device (`workers(0)`, `run_sequential`).
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let name = || std::thread::current().name().unwrap_or_default().to_owned();
    /// let gpu = move |batch: &[u64]| Ok::<_, Cause>(vec![name(); batch.len()]);
    /// let run = Pipeline::new(cpu, gpu).workers(2).device_on_workers(true).batch_size(4).run(0..8);
    /// for batch in run {
    ///     assert!(batch?.rows().all(|(_, thread)| thread.starts_with("gapless-cpu-")));
    /// }
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn device_on_workers(mut self, yes: bool) -> Self {
        self.how.settings.on_workers = yes;
        self
    }
}

impl<D, C, G, A> Pipeline<D, C, G, A> {
    /// Another CPU half and another GPU half behind these: CPU → GPU → CPU → GPU, as in finding things and then
    /// naming each. `prepare` gets each document and its row of what came before, on workers of its own half; what it
    /// makes of them goes through `gpu` in batches of their own: [`Chain::last_half`] sets them.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let parse = |text: &mut String| Ok::<_, Cause>(text.parse::<u32>()?);
    /// let double = |batch: &[u32]| Ok::<_, Cause>(batch.iter().map(|n| 2 * n).collect::<Vec<_>>());
    /// let halve = |_: &mut String, doubled: &u32| Ok::<_, Cause>(f64::from(*doubled) / 2.0);
    /// let root = |batch: &[f64]| Ok::<_, Cause>(batch.iter().map(|x| x.sqrt()).collect::<Vec<_>>());
    ///
    /// let halves = Pipeline::new(parse, double).then_gpu(halve, root).last_half(|half| half.batch_size(2));
    /// let mut run = halves.run(["4", "9", "16"].map(String::from));
    /// let roots: Vec<f64> = run.by_ref().flat_map(|batch| batch.unwrap().output().unwrap().clone()).collect();
    /// assert_eq!(roots, [2.0, 3.0, 4.0]);
    /// assert_eq!(run.accounts().delivered, 3);
    /// assert_eq!(run.report().before[0].devices[0].batches, 1);
    /// ```
    pub fn then_gpu<F, G2, R>(self, prepare: F, gpu: G2) -> Chain<Self, F, G2>
    where
        D: Send + 'static,
        C: CpuStage<D> + 'static,
        G: GpuStage<C::Prepared> + 'static,
        A: After<D, G::Output, Delivered: Rows + 'static> + 'static,
        F: Fn(&mut D, <A::Delivered as Rows>::Row<'_>) -> R + Send + Sync,
        R: IntoResult<Value: Send>,
        G2: GpuStage<R::Value>,
    {
        Chain::new(self, prepare, gpu)
    }
}

impl<D, C, G, A, M> Pipeline<D, C, G, A, M> {
    /// Starts the run: the halves overlap, and results can be taken while the rest still runs.
    ///
    /// The source is pulled lazily, on a thread of its own, and never further ahead than the tokens
    /// allow; it may be endless. A setting that cannot work, or a stage that cannot be opened, is the
    /// first item, and then no thread was started.
    pub fn run<I>(self, documents: I) -> Run<D, A::Delivered>
    where
        D: Send + 'static,
        M: Mode<D>,
        C: CpuStage<M::Item> + 'static,
        G: GpuStage<C::Prepared> + 'static,
        A: After<M::Item, G::Output> + 'static,
        I: IntoIterator<Item = D>,
        I::IntoIter: Send + 'static,
    {
        self.start(Free, documents.into_iter(), false)
    }

    /// The baseline that overlap is measured against: all CPU work first, on the workers, then all GPU
    /// work, on the caller's thread.
    ///
    /// Everything prepared is held at once, so the source must be finite and fit into memory. The cuts
    /// are those of [`run`](Self::run), and so are the results, bit for bit. With `workers(0)` there is
    /// nobody to hold anything for: it is the inline run.
    pub fn run_sequential<I>(self, documents: I) -> Run<D, A::Delivered>
    where
        D: Send + 'static,
        M: Mode<D>,
        C: CpuStage<M::Item> + 'static,
        G: GpuStage<C::Prepared> + 'static,
        A: After<M::Item, G::Output> + 'static,
        I: IntoIterator<Item = D>,
        I::IntoIter: Send + 'static,
    {
        self.start(Free, documents.into_iter(), true)
    }
}

impl<D, C, G, A, M> fmt::Debug for Pipeline<D, C, G, A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("devices", &self.devices.len()).finish_non_exhaustive()
    }
}
