//! A program: kernels over named tensors, run as the GPU half of a pipeline.

mod build;
mod once;
mod stage;
mod variants;

use std::sync::Arc;
use std::time::Duration;

use super::allowed::Allowed;
use super::driver::InFlight;
use super::graph::{self, Graph};
use super::item::{self, Item};
use super::kept::{Kept, Lent};
use super::plan::{self, Plan};
use super::profile::Profile;
use super::runner::Runner;
use super::twins::Twins;
use super::{Gpu, TensorId};
use crate::error::{Cause, Error};
use crate::kernel::{Element, Precision, Spec};
use crate::stage::{DeviceTimes, StageError};

/// More batches in flight only cost memory: two keep a device busy.
const MOST_IN_FLIGHT: usize = 64;

/// A graph of kernels over named tensors, on a device or on the twins.
///
/// It is built tensor by tensor; every kernel checks its inputs when it is added. Opening it plans
/// everything for a largest batch: which buffers tensors share, constants on the device, pipelines,
/// and a ring of buffers for [`depth`](Self::depth) batches in flight. After that no GPU buffer is made.
///
/// A clone is the same program, and may run at the same time. What one run opened is kept while there is a clone, or
/// until [`close`](Self::close), and the next run takes it; a larger batch needs new memory, and nothing else.
///
/// An item of a batch is an [`Item`]: one `Array<u8, _>` or `Array<f32, _>`, or several where the program
/// has several inputs.
///
/// ```
/// use gapless::kernel::{GlobalAveragePool, Normalize, Spec};
/// use gapless::{Cause, Gpu, Pipeline, Program};
/// use ndarray::Array3;
///
/// let mut net = Program::new(&Gpu::cpu());
/// let photo = net.input("photo", Spec::bytes(&[8, 8, 3]))?;
/// let planes = net.add(Normalize::new([100.0; 3], [2.0; 3]), &[photo])?;
/// let means = net.add(GlobalAveragePool::new(), &[planes])?;
/// net.output("means", means)?;
/// println!("{}", net.plan(16)?);
///
/// let prepare = |gray: &mut u8| Ok::<_, Cause>(Array3::from_elem((8, 8, 3), *gray));
/// for gray in [110, 120] {
///     let batch = Pipeline::new(prepare, net.clone()).run([100, gray]).next().unwrap()?;
///     assert_eq!(batch.rows().last().unwrap().1["means"][..], [f32::from(gray - 100) / 2.0; 3]);
/// }
/// # Ok::<(), gapless::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Program {
    gpu: Gpu,
    graph: Arc<Graph>,
    flight: InFlight,
    allowed: Allowed,
    /// What was wrong with a setting that gives no result of its own.
    broken: Option<Error>,
    /// What clones share.
    kept: Arc<Kept>,
    open: Option<Lent>,
    max_batch: usize,
    times: DeviceTimes,
}

/// The same program, not open. It shares what is kept with the one that it was cloned from, until either is changed.
impl Clone for Program {
    fn clone(&self) -> Self {
        Self { kept: self.kept.clone(), ..self.on(&self.gpu) }
    }
}

impl Program {
    /// An empty program for this device.
    pub fn new(gpu: &Gpu) -> Self {
        Self {
            gpu: gpu.clone(),
            graph: Arc::default(),
            flight: InFlight::default(),
            allowed: Allowed::default(),
            broken: None,
            kept: Arc::default(),
            open: None,
            max_batch: 0,
            times: DeviceTimes::default(),
        }
    }

    /// The same program for another device.
    pub fn on(&self, gpu: &Gpu) -> Self {
        let (graph, broken, allowed) = (self.graph.clone(), self.broken.clone(), self.allowed.clone());
        Self { graph, flight: self.flight, broken, allowed, ..Self::new(gpu) }
    }

    /// Gives back the memory that is kept for the next run, on the device and here. What runs goes on.
    ///
    /// ```
    /// # use gapless::kernel::{Spec, Unary};
    /// # use gapless::{Gpu, Program};
    /// # use ndarray::arr1;
    /// # let mut net = Program::new(&Gpu::best()?);
    /// # let x = net.input("x", Spec::floats(&[2]))?;
    /// # let y = net.add(Unary::relu(), &[x])?;
    /// # net.output("y", y)?;
    /// net.run_once(&arr1(&[1.0_f32, -1.0]))?;
    /// net.close(); // the next call opens it again
    /// # assert_eq!(net.run_once(&arr1(&[1.0_f32, -1.0]))?["y"].as_slice(), Some(&[1.0, 0.0][..]));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn close(&self) {
        self.kept.clear();
    }

    /// To be called before whatever changes what is run: nothing that is open, or kept, is of use any more.
    fn change(&mut self) {
        self.open = None;
        self.kept = Arc::default();
    }

    /// The graph, to be changed.
    fn graph(&mut self) -> &mut Graph {
        self.change();
        Arc::make_mut(&mut self.graph)
    }

    /// Batches that may be in flight at once; 3 by default, 0 counts as 1, and at most 64.
    ///
    /// With 1 the device idles while a result is copied and the next batch goes up. 2 keep it busy where
    /// batches take equally long; 3 also where they do not. Each costs a staging, an input and a
    /// readback buffer.
    pub fn depth(mut self, batches: usize) -> Self {
        self.flight.depth = batches.max(1);
        self.change();
        self
    }

    /// How long a batch may take before the device counts as lost; by default 60 s, or 20 times the
    /// slowest batch so far where that is more.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.flight.deadline = Some(deadline);
        self.change();
        self
    }

    /// Most work of one submission to the device, about, by what was measured; by default 200 ms, and all of a batch on
    /// a driver that runs on the processor. A batch of more is several submissions, one behind the other: an operating
    /// system takes a device away from whoever holds it for some two seconds, and what else is drawn or computed on it
    /// waits for the end of a submission. One kernel for one item is the least that a submission has.
    pub fn submission(mut self, most: Duration) -> Self {
        self.flight.submission = Some(most);
        self.change();
        self
    }

    /// Element type and shape of a tensor of this program.
    pub fn spec(&self, tensor: TensorId) -> Option<&Spec> {
        self.graph.spec(tensor)
    }

    /// Names and specs of the inputs, in the order in which an item brings them.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &Spec)> {
        let tensor = |index: usize| (&self.graph.tensors[index].name[..], &self.graph.tensors[index].spec);
        self.graph.inputs().into_iter().map(tensor)
    }

    /// Names and specs of the outputs, in the order in which they were named.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, &Spec)> {
        self.graph.outputs.iter().map(|(name, index)| (&name[..], &self.graph.tensors[*index].spec))
    }

    /// The output of this name, or the input, so that kernels can stand behind what a network gives.
    ///
    /// ```
    /// use gapless::kernel::TopK;
    /// use gapless::{Gpu, Program};
    /// let mut net = Program::onnx(&Gpu::cpu(), "models/efficientnet-lite0.onnx")?;
    /// let prob = net.tensor("prob").expect("the model gives it");
    /// let best = net.add(TopK::indices(0, 5), &[prob])?;
    /// net.output("best", best)?;
    /// let net = net.only_outputs(["best"]);
    /// # assert_eq!(net.outputs().count(), 1);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn tensor(&self, name: &str) -> Option<TensorId> {
        self.graph.shown(name)
    }

    /// The device.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// What would be run for batches of up to `max_batch` items, and what memory that takes.
    ///
    /// # Errors
    /// If the program cannot be opened for such batches, with the number that fits. Memory that the
    /// device does not have is noticed by opening only.
    pub fn plan(&self, max_batch: usize) -> Result<Plan, Error> {
        self.check_settings()?;
        let mut plan = Plan::new(&self.graph_on_device(), max_batch, self.in_flight(), self.gpu.limits())?;
        self.allowed.apply(&mut plan, self.gpu.facts())?;
        Ok(match self.gpu.hardware() {
            Some(hardware) => hardware.chosen(plan),
            None => plan,
        })
    }

    /// The names of all its tensors.
    #[cfg(feature = "onnx")]
    pub(crate) fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.graph.tensors.iter().map(|tensor| &tensor.name[..])
    }

    fn check_settings(&self) -> Result<(), Error> {
        if self.flight.depth > MOST_IN_FLIGHT {
            let reason = format!("{} batches in flight; 1 to {MOST_IN_FLIGHT} make sense", self.flight.depth);
            return Err(graph::setting("Program::depth", reason));
        }
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Whether `item` has the element types and shapes of the program's inputs.
    ///
    /// Submitting checks every item; a CPU stage that calls this keeps an odd document from failing
    /// its whole batch.
    ///
    /// # Errors
    /// Names both shapes.
    pub fn accepts<I: Item>(&self, item: &I) -> Result<(), Cause> {
        let inputs = self.graph.inputs();
        if item.arrays() != inputs.len() {
            let (given, wanted) = (item.arrays(), inputs.len());
            return Err(Cause::msg(format!("it has {given} arrays, and the program takes {wanted}")));
        }
        for (place, input) in inputs.into_iter().enumerate() {
            let values = item.array(place);
            if !item::fits(&values, &self.graph.tensors[input].spec) {
                let (given, wanted) = (item::spec_of(&values), self.graph.describe(input));
                return Err(Cause::msg(format!("it is {given}, and the program takes {wanted}")));
            }
        }
        Ok(())
    }

    /// Photos for a network of floats are noticed before the first of them is prepared.
    fn takes(&self, element: Element) -> Result<(), Error> {
        let inputs = self.graph.inputs();
        // Floats that are whole numbers may stand for these.
        let takes = |wanted| wanted == element || (wanted, element) == (Element::I32, Element::F32);
        let other = inputs.into_iter().find(|input| !takes(self.graph.tensors[*input].spec.element));
        let Some(input) = other else { return Ok(()) };
        let hint = match element {
            Element::U8 => "; Program::normalize takes pixels as they were decoded",
            _ => "",
        };
        let wanted = self.graph.describe(input);
        let reason = format!("{wanted} is taken, and the items are of {element}{hint}");
        Err(graph::setting("Program::input", reason))
    }

    /// Batches in flight at once: on the twins a batch is done when `submit` returns.
    fn in_flight(&self) -> usize {
        if self.gpu.hardware().is_some() { self.flight.depth } else { 1 }
    }

    /// How long each kernel takes for a batch of `rows` items, one after the other. The program is open.
    ///
    /// Kernels are repeated on the same memory until they can be timed, some 10 ms each, so tensors
    /// that fit a cache look faster than in a run.
    ///
    /// # Errors
    /// If the program is not open for so many items, or the device fails.
    pub fn profile(&mut self, rows: usize) -> Result<Profile, Cause> {
        if rows == 0 || rows > self.max_batch {
            return Err(Cause::msg(format!("{rows} items; the program is open for 1 to {}", self.max_batch)));
        }
        match &mut self.open {
            Some(open) => {
                let kernels = open.runner().profile(rows).map_err(|error| error.cause().clone())?;
                Ok(Profile { rows, kernels })
            }
            None => Err(Cause::msg("the program was not opened")),
        }
    }

    /// The graph as the device can run it.
    fn graph_on_device(&self) -> Arc<Graph> {
        let made = || {
            let graph = self.graph.rewritten();
            let limits = self.gpu.limits();
            let graph = if limits.halves { graph } else { graph.widened() };
            let narrow = limits.f16 && self.allowed.precision == Precision::Half;
            let halves = narrow && self.gpu.hardware().is_some();
            Arc::new(if halves { graph.with_halves() } else { graph })
        };
        self.kept.graph.get_or_init(made).clone()
    }

    fn start(&self, max_batch: usize) -> Result<Runner, StageError> {
        let plan = self.plan(max_batch)?;
        let Some(hardware) = self.gpu.hardware() else {
            return Ok(Box::new(Twins::open(&self.graph_on_device(), plan)?));
        };
        let ring = |plan: Plan| hardware.ring(&self.graph_on_device(), plan, self.flight, &self.kept.shared);
        match ring(plan) {
            Ok(ring) => Ok(ring),
            Err(StageError::TooLarge(cause)) => Err(self.largest_that_fits(max_batch, &cause, ring).into()),
            Err(error) => Err(error),
        }
    }

    /// Tries smaller batches, so that the error can name one that fits.
    fn largest_that_fits(
        &self,
        max_batch: usize,
        cause: &Cause,
        ring: impl Fn(Plan) -> Result<Runner, StageError>,
    ) -> Cause {
        let halves = std::iter::successors(Some(max_batch / 2), |batch| Some(batch / 2));
        let fits = |batch: &usize| self.plan(*batch).is_ok_and(|plan| ring(plan).is_ok());
        let most = halves.take_while(|batch| *batch > 0).find(fits).unwrap_or(0);
        Cause::from(plan::batch_size(max_batch, most as u64, "bytes of memory")).context(cause)
    }

    fn check<I: Item>(&self, batch: &[I]) -> Result<(), StageError> {
        if self.open.is_some() && !(1..=self.max_batch).contains(&batch.len()) {
            let (rows, most) = (batch.len(), self.max_batch);
            let cause = Cause::msg(format!("{rows} items; the program is open for 1 to {most}"));
            return Err(if rows == 0 { StageError::Batch(cause) } else { StageError::TooLarge(cause) });
        }
        for (index, item) in batch.iter().enumerate() {
            self.accepts(item).map_err(|cause| cause.context(format!("item {index} of the batch")))?;
        }
        Ok(())
    }
}
