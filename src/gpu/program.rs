//! A program: kernels over named tensors, run as the GPU half of a pipeline.

use std::sync::Arc;
use std::time::Duration;

use ndarray::{Array, ArrayD, Dimension};

use super::deadline::Deadline;
use super::graph::{self, Graph};
use super::plan::{self, Plan};
use super::profile::Profile;
use super::ring::{Ring, Ticket};
use super::scalar::Scalar;
use super::tensors::Tensors;
use super::twins::Twins;
use super::{Gpu, TensorId};
use crate::error::{Cause, Error};
use crate::kernel::{Kernel, Spec};
use crate::stage::{DeviceInfo, GpuStage, StageError};

/// More batches in flight only cost memory: two keep a device busy.
const MOST_IN_FLIGHT: usize = 64;

/// A graph of kernels over named tensors, on a device or on the twins.
///
/// It is built tensor by tensor; every kernel checks its inputs when it is added. Opening it plans
/// everything for a largest batch: which buffers tensors share, constants on the device, pipelines,
/// and a ring of buffers for [`depth`](Self::depth) batches in flight. After that no GPU buffer is made.
///
/// An item of a batch is one array, the program's only input: `Array<u8, _>` or `Array<f32, _>`.
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
/// for batch in Pipeline::new(prepare, net).run([100, 110]) {
///     assert_eq!(batch?.rows().last().unwrap().1["means"].to_vec(), [5.0; 3]);
/// }
/// # Ok::<(), gapless::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Program {
    gpu: Gpu,
    graph: Graph,
    depth: usize,
    deadline: Option<Duration>,
    runner: Option<Runner>,
    max_batch: usize,
}

/// What runs a program that is open.
#[derive(Debug)]
enum Runner {
    Ring(Box<Ring>),
    Twins(Box<Twins>),
}

/// A batch on its way through a [`Program`].
#[derive(Debug)]
pub struct ProgramTicket(Kind);

#[derive(Debug)]
enum Kind {
    Ring(Box<Ticket>),
    Twins(Option<Tensors>),
}

impl Program {
    /// An empty program for this device.
    pub fn new(gpu: &Gpu) -> Self {
        Self { gpu: gpu.clone(), graph: Graph::new(), depth: 3, deadline: None, runner: None, max_batch: 0 }
    }

    /// The same program for another device.
    pub fn on(&self, gpu: &Gpu) -> Self {
        let Self { graph, depth, deadline, .. } = self;
        let (depth, deadline, graph) = (*depth, *deadline, graph.clone());
        Self { graph, depth, deadline, ..Self::new(gpu) }
    }

    /// Batches that may be in flight at once; 3 by default, 0 counts as 1, and at most 64.
    ///
    /// With 1 the device idles while a result is copied and the next batch goes up. 2 keep it busy where
    /// batches take equally long; 3 also where they do not. Each costs a staging, an input and a
    /// readback buffer.
    pub fn depth(mut self, batches: usize) -> Self {
        self.depth = batches.max(1);
        self.runner = None;
        self
    }

    /// How long a batch may take before the device counts as lost; by default 60 s, or 20 times the
    /// slowest batch so far where that is more.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self.runner = None;
        self
    }

    /// A tensor that every item brings. Its `spec` has the shape of one item.
    ///
    /// # Errors
    /// If the name is taken, the spec is not batched, or the shape has no elements.
    pub fn input(&mut self, name: &str, spec: Spec) -> Result<TensorId, Error> {
        self.runner = None;
        self.graph.input(name, spec)
    }

    /// A tensor that is the same for all items, such as a weight. It is uploaded once.
    ///
    /// # Errors
    /// If the name is taken or the array has no elements.
    pub fn constant(&mut self, name: &str, values: ArrayD<f32>) -> Result<TensorId, Error> {
        self.runner = None;
        self.graph.constant(name, values)
    }

    /// What `kernel` gives for these tensors.
    ///
    /// # Errors
    /// If the kernel does not accept the inputs; the error names both.
    pub fn add(&mut self, kernel: impl Kernel, inputs: &[TensorId]) -> Result<TensorId, Error> {
        self.runner = None;
        self.graph.add(Arc::new(kernel), inputs)
    }

    /// Makes a tensor an output of this name.
    ///
    /// # Errors
    /// If the name is taken, or the tensor is not what a kernel gives.
    pub fn output(&mut self, name: &str, tensor: TensorId) -> Result<(), Error> {
        self.runner = None;
        self.graph.output(name, tensor)
    }

    /// Element type and shape of a tensor of this program.
    pub fn spec(&self, tensor: TensorId) -> Option<&Spec> {
        self.graph.spec(tensor)
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
        if self.depth > MOST_IN_FLIGHT {
            let reason = format!("{} batches in flight; 1 to {MOST_IN_FLIGHT} make sense", self.depth);
            return Err(graph::setting("Program::depth", reason));
        }
        Plan::new(&self.graph, max_batch, self.gpu.limits())
    }

    /// Whether `item` has the element type and shape of the program's input.
    ///
    /// Submitting checks every item; a CPU stage that calls this keeps an odd document from failing
    /// its whole batch.
    ///
    /// # Errors
    /// Names both shapes.
    pub fn accepts<T: Scalar, D: Dimension>(&self, item: &Array<T, D>) -> Result<(), Cause> {
        self.accepts_as(self.graph.only_input()?, item)
    }

    fn accepts_as<T: Scalar, D: Dimension>(&self, input: usize, item: &Array<T, D>) -> Result<(), Cause> {
        let spec = &self.graph.tensors[input].spec;
        if spec.element == T::ELEMENT && spec.shape == item.shape() {
            return Ok(());
        }
        let given = Spec { element: T::ELEMENT, shape: item.shape().to_vec(), batched: true };
        let (given, wanted) = (super::graph::shape_name(&given), self.graph.describe(input));
        Err(Cause::msg(format!("it is {given}, and the program takes {wanted}")))
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
        let kernels = match &mut self.runner {
            Some(Runner::Ring(ring)) => ring.profile(rows).map_err(|error| error.cause().clone())?,
            Some(Runner::Twins(twins)) => twins.profile(rows),
            None => return Err(Cause::msg("the program was not opened")),
        };
        Ok(Profile { rows, kernels })
    }

    fn start(&self, max_batch: usize) -> Result<Runner, StageError> {
        let plan = self.plan(max_batch)?;
        let Some(device) = self.gpu.device()? else {
            return Ok(Runner::Twins(Box::new(Twins::open(&self.graph, plan))));
        };
        let ring = |plan| Ring::open(&device, &self.graph, plan, self.depth, Deadline::new(self.deadline));
        match ring(plan) {
            Ok(ring) => Ok(Runner::Ring(Box::new(ring))),
            Err(StageError::TooLarge(cause)) => Err(self.largest_that_fits(max_batch, &cause, ring).into()),
            Err(error) => Err(error),
        }
    }

    /// Tries smaller batches, so that the error can name one that fits.
    fn largest_that_fits(
        &self,
        max_batch: usize,
        cause: &Cause,
        ring: impl Fn(Plan) -> Result<Ring, StageError>,
    ) -> Cause {
        let halves = std::iter::successors(Some(max_batch / 2), |batch| Some(batch / 2));
        let fits = |batch: &usize| self.plan(*batch).is_ok_and(|plan| ring(plan).is_ok());
        let most = halves.take_while(|batch| *batch > 0).find(fits).unwrap_or(0);
        Cause::from(plan::batch_size(max_batch, most as u64, "bytes of memory")).context(cause)
    }

    fn check<T: Scalar, D: Dimension>(&self, batch: &[Array<T, D>]) -> Result<(), StageError> {
        if self.runner.is_some() && !(1..=self.max_batch).contains(&batch.len()) {
            let (rows, most) = (batch.len(), self.max_batch);
            let cause = Cause::msg(format!("{rows} items; the program is open for 1 to {most}"));
            return Err(if rows == 0 { StageError::Batch(cause) } else { StageError::TooLarge(cause) });
        }
        let input = self.graph.only_input()?;
        for (index, item) in batch.iter().enumerate() {
            self.accepts_as(input, item)
                .map_err(|cause| cause.context(format!("item {index} of the batch")))?;
        }
        Ok(())
    }
}

impl<T: Scalar, D: Dimension + 'static> GpuStage<Array<T, D>> for Program {
    type Output = Tensors;
    type Ticket = ProgramTicket;

    fn open(&mut self, max_batch: usize) -> Result<(), Cause> {
        self.runner = None;
        self.runner = Some(self.start(max_batch).map_err(|error| error.cause().clone())?);
        self.max_batch = max_batch;
        Ok(())
    }

    /// Whether the item has the shape of the program's input.
    fn accepts(&self, item: &Array<T, D>) -> Result<(), Cause> {
        Self::accepts(self, item)
    }

    /// 1 on the twins: a batch is done when `submit` returns.
    fn depth(&self) -> usize {
        if self.gpu.is_twins() { 1 } else { self.depth }
    }

    fn device(&self) -> DeviceInfo {
        self.gpu.info().clone()
    }

    fn submit(&mut self, batch: &[Array<T, D>]) -> Result<ProgramTicket, StageError> {
        self.check(batch)?;
        match &mut self.runner {
            Some(Runner::Ring(ring)) => Ok(ProgramTicket(Kind::Ring(Box::new(ring.submit(batch)?)))),
            Some(Runner::Twins(twins)) => Ok(ProgramTicket(Kind::Twins(Some(twins.run(batch))))),
            None => Err(StageError::Batch(Cause::msg("the program was not opened"))),
        }
    }

    fn try_collect(
        &mut self,
        ticket: &mut ProgramTicket,
        wait: Duration,
    ) -> Result<Option<Tensors>, StageError> {
        match (&mut self.runner, &mut ticket.0) {
            (Some(Runner::Ring(ring)), Kind::Ring(ticket)) => ring.try_collect(ticket, wait),
            (_, Kind::Twins(tensors)) => Ok(tensors.take()),
            _ => Err(StageError::Batch(Cause::msg("the program was opened again after this batch"))),
        }
    }

    /// Opens the program again, on the device that took the place of the lost one: another program may have
    /// made it already, else it is made now. What was learnt about how long batches take starts anew.
    fn reopen(&mut self) -> Result<(), StageError> {
        // What the lost device held goes before the new one needs room.
        self.runner = None;
        self.runner = Some(self.start(self.max_batch)?);
        Ok(())
    }
}
