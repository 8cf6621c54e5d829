//! A program without a device: every kernel's twin, item by item, over the planned graph.
//!
//! It runs on the device thread alone. The workers have the other cores, and a pool of its own would
//! take them from the CPU half.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::constant::Constant;
use super::graph::{self, Graph, Origin};
use super::item::{AnyBatch, RowMajor};
use super::plan::{Place, Plan, Step};
use super::profile::{self, KernelTime};
use super::runner::{Flying, ProgramTicket, Runs, opened_again};
use super::shelf::Shelf;
use super::tensors::{Named, Tensors};
use crate::error::Error;
use crate::kernel::{Spec, Values, ValuesMut};
use crate::stage::{DeviceTimes, StageError};

#[derive(Debug)]
pub(super) struct Twins {
    graph: Arc<Graph>,
    plan: Plan,
    names: Arc<[Named]>,
    constants: Vec<Constant>,
    /// Memory for one item in each buffer that tensors share.
    shared: Vec<Vec<f32>>,
    /// Memory for what is put in another order.
    scratch: Vec<f32>,
    shelf: Arc<Shelf>,
    times: DeviceTimes,
    /// What each step took for the batch that is run.
    taken: Vec<Duration>,
}

impl Twins {
    pub(super) fn open(graph: &Arc<Graph>, plan: Plan) -> Result<Self, Error> {
        let kernels = plan.steps.iter().map(|step| &graph.nodes[step.node].kernel);
        if let Some(kernel) = kernels.into_iter().find(|kernel| !kernel.has_twin()) {
            let reason = format!("the kernel {} has no twin, so it needs a device", kernel.name());
            return Err(graph::setting("Program::new", reason));
        }
        let constant = |&tensor: &usize| match &graph.tensors[tensor].origin {
            Origin::Constant(values) => values.widened(),
            _ => unreachable!("the plan lists constants"),
        };
        Ok(Self {
            names: graph.named_outputs(),
            constants: plan.constants.iter().map(constant).collect(),
            scratch: Vec::new(),
            shared: plan.shared.iter().map(|&bytes| vec![0.0; bytes as usize / 4]).collect(),
            shelf: Arc::new(Shelf::new(plan.outputs.len() * 3)),
            graph: graph.clone(),
            times: DeviceTimes::default(),
            taken: vec![Duration::ZERO; plan.steps.len()],
            plan,
        })
    }

    fn run(&mut self, batch: &dyn AnyBatch) -> Tensors {
        let len = |bytes: u64| bytes as usize / 4;
        let values = |bytes: u64| self.shelf.take(len(bytes) * batch.rows());
        let mut rows: Vec<Vec<f32>> = self.plan.outputs.iter().map(|output| values(output.bytes)).collect();
        self.taken.fill(Duration::ZERO);
        for row in 0..batch.rows() {
            // How many it has is known: what it says now may be another number.
            let inputs = 0..self.plan.inputs.len();
            let arrays: Vec<_> = inputs
                .map(|index| RowMajor::new(batch.array(row, index), &self.plan.inputs[index].spec))
                .collect();
            let item: Vec<Values<'_>> = arrays.iter().map(RowMajor::values).collect();
            self.run_item(&item);
            for (rows, output) in rows.iter_mut().zip(&self.plan.outputs) {
                rows.extend_from_slice(&self.shared[output.buffer][..len(output.bytes)]);
            }
        }
        self.times.batch(self.taken.iter().sum());
        self.times.kernels(&self.taken);
        let shapes = self.plan.outputs.iter().map(|output| &output.shape[..]);
        Tensors::new(&self.names, batch.rows(), shapes.zip(rows), &self.shelf)
    }

    fn time_step(&mut self, index: usize, item: &[Values<'_>], rows: usize) -> KernelTime {
        let Ok(time) = profile::time_of_one(|times| {
            let start = Instant::now();
            (0..times as usize * rows).for_each(|_| self.run_at(index, item));
            Ok::<_, Infallible>(start.elapsed())
        });
        KernelTime::new(&self.plan.steps[index], rows, time)
    }

    fn run_item(&mut self, item: &[Values<'_>]) {
        for index in 0..self.plan.steps.len() {
            let start = Instant::now();
            self.run_at(index, item);
            self.taken[index] += start.elapsed();
        }
    }

    fn run_at(&mut self, index: usize, item: &[Values<'_>]) {
        let buffer = self.plan.steps[index].output;
        // A step never reads the buffer that it writes, so the buffer can be taken out meanwhile. A twin that panicked
        // kept it.
        let mut written = std::mem::take(&mut self.shared[buffer]);
        written.resize(self.plan.shared[buffer] as usize / 4, 0.0);
        let mut scratch = std::mem::take(&mut self.scratch);
        self.run_step(&self.plan.steps[index], item, &mut written, &mut scratch);
        (self.shared[buffer], self.scratch) = (written, scratch);
    }

    /// `scratch` has the values before they are put in another order.
    fn run_step(&self, step: &Step, item: &[Values<'_>], written: &mut [f32], scratch: &mut Vec<f32>) {
        let node = &self.graph.nodes[step.node];
        let output = &self.graph.tensors[node.output].spec;
        let mut places = step.inputs.iter().copied().zip(step.starts.iter().copied());
        let own = places.by_ref().take(node.inputs.len()).zip(&node.inputs);
        let inputs: Vec<Values<'_>> = own.map(|(place, &tensor)| self.read(place, tensor, item)).collect();
        let [before, behind] = step.then.here(places.map(|place| self.floats(place, item)));
        let seen = node.seen(output);
        let (len, turns) = (seen.len(), step.then.order().is_some());
        let given = if turns {
            scratch.resize(len * node.parts, 0.0);
            &mut scratch[..]
        } else {
            &mut written[..len * node.parts]
        };
        for (part, given) in given.chunks_exact_mut(len).enumerate() {
            let batched = |tensor: usize| self.graph.tensors[tensor].spec.batched;
            let this = (node.parts > 1).then_some(part);
            let whole = inputs.iter().zip(&node.inputs);
            let inputs: Vec<Values<'_>> =
                whole.map(|(values, &tensor)| values.part(this.filter(|_| batched(tensor)))).collect();
            let given = ValuesMut::of(seen.element, &seen.shape, given);
            node.kernel.twin_with_epilogue(&inputs, part * len, given, &before);
        }
        if turns {
            let written = &mut written[..len * node.parts];
            step.then.turn(scratch, written);
            behind.apply(0, written);
        }
    }

    /// The values of a tensor of floats from its place on.
    fn floats<'a>(&'a self, (place, start): (Place, usize), item: &'a [Values<'_>]) -> &'a [f32] {
        match place {
            Place::Input(index) => item[index].as_floats(),
            Place::Constant(index) => self.constants[index].as_floats(),
            Place::Shared(index) => &self.shared[index][start..],
        }
    }

    fn read<'a>(
        &'a self,
        (place, start): (Place, usize),
        tensor: usize,
        item: &'a [Values<'_>],
    ) -> Values<'a> {
        let Spec { element, shape, .. } = &self.graph.tensors[tensor].spec;
        match place {
            Place::Input(index) => item[index].shaped(shape),
            Place::Constant(index) => self.constants[index].values(shape),
            Place::Shared(index) => {
                Values::of(*element, shape, &self.shared[index][start..][..shape.iter().product()])
            }
        }
    }
}

/// A batch is done when it is submitted.
impl Runs for Twins {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn tell(&mut self, times: &DeviceTimes) {
        self.times = times.clone();
    }

    fn is_idle(&self) -> bool {
        true
    }

    fn submit(&mut self, batch: &dyn AnyBatch) -> Result<ProgramTicket, StageError> {
        Ok(ProgramTicket(Box::new(Some(self.run(batch)))))
    }

    fn try_collect(&mut self, flying: &mut Flying, _: Duration) -> Result<Option<Tensors>, StageError> {
        flying.downcast_mut::<Option<Tensors>>().map(Option::take).ok_or_else(opened_again)
    }

    /// How long each twin takes for `rows` items, whatever lies in the memory.
    fn profile(&mut self, rows: usize) -> Result<Vec<KernelTime>, StageError> {
        let zeros: Vec<_> = self.plan.inputs.iter().map(RowMajor::zeros).collect();
        let item: Vec<Values<'_>> = zeros.iter().map(RowMajor::values).collect();
        Ok((0..self.plan.steps.len()).map(|index| self.time_step(index, &item, rows)).collect())
    }
}
