//! A program planned for one device and one largest batch: what is run, where each tensor lives, and
//! whether it fits. Plain data: it can be printed and tested without a device.

mod chains;
mod joins;
mod needs;
mod step;
mod text;
mod variants;

use self::joins::Join;
use self::needs::{needed_constants, needed_nodes, share_buffers};
#[cfg(feature = "gpu")]
pub(super) use self::step::Instead;
pub(super) use self::step::Step;
#[cfg(feature = "gpu")]
pub(super) use self::variants::Fnv;
pub use self::variants::PlannedKernel;
pub(super) use self::variants::Variant;
use super::Limits;
use super::graph::{Graph, Origin, setting};
use crate::error::Error;
use crate::kernel::Spec;

/// Bytes of the stamp that every batch carries through the device and back.
pub(super) const STAMP_BYTES: u64 = 8;

/// Bytes of the two times of a batch.
pub(super) const TIMES_BYTES: u64 = 16;

/// Most kernels that are timed each on its own: wgpu allows 4,096 times in a set.
const MOST_KERNELS: usize = 2_000;

/// Bytes of the two times of each of so many kernels; none where they are too many.
pub(super) fn kernel_times_bytes(kernels: usize) -> u64 {
    if kernels <= MOST_KERNELS { kernels as u64 * TIMES_BYTES } else { 0 }
}

/// What a program does for a batch, and what memory that takes. [`Program::plan`](super::Program::plan) makes it.
///
/// Its text has one line a kernel: output, shape, variant, bytes and multiply-adds of one item.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) max_batch: usize,
    pub(super) steps: Vec<Step>,
    pub(super) inputs: Vec<PlannedInput>,
    pub(super) outputs: Vec<PlannedOutput>,
    pub(super) constants: Vec<usize>,
    /// Bytes of one item in each buffer that tensors share.
    pub(super) shared: Vec<u64>,
    pub(super) params: Vec<u8>,
    depth: usize,
    constant_bytes: u64,
    /// Kernels that might have been done with others, and why they are not.
    apart: Vec<String>,
}

/// What every item brings for one input.
#[derive(Clone, Debug)]
pub(super) struct PlannedInput {
    pub(super) name: String,
    pub(super) spec: Spec,
    /// Where its rows start in the staging buffer.
    pub(super) offset: u64,
}

/// Where a tensor lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Index into [`Plan::inputs`].
    Input(usize),
    /// Index into [`Plan::constants`].
    Constant(usize),
    /// Index into [`Plan::shared`].
    Shared(usize),
}

#[derive(Clone, Debug)]
pub(super) struct PlannedOutput {
    pub(super) buffer: usize,
    pub(super) shape: Vec<usize>,
    /// Bytes of one item.
    pub(super) bytes: u64,
    /// Where its rows start in the buffer that is read back.
    pub(super) offset: u64,
}

impl Plan {
    /// For batches of up to `max_batch` items, `depth` of them in flight.
    pub(super) fn new(graph: &Graph, max_batch: usize, depth: usize, limits: &Limits) -> Result<Self, Error> {
        let mut plan = Self { max_batch, depth, ..Self::unchecked(graph, limits)? };
        plan.check(graph, limits)?;
        place_inputs(&mut plan.inputs, max_batch);
        place_outputs(&mut plan.outputs, max_batch);
        Ok(plan)
    }

    fn unchecked(graph: &Graph, limits: &Limits) -> Result<Self, Error> {
        let inputs = graph.inputs();
        if inputs.is_empty() {
            return Err(setting("Program::input", "there is none, so a document brings nothing".into()));
        }
        let needed = needed_nodes(graph)?;
        let chains::Chains { chains, mut apart } = chains::of(graph, &needed, limits);
        let (joins, not_joined) = joins::of(graph, &chains, limits);
        apart.extend(not_joined);
        let (shared, shared_of) = share_buffers(graph, &chains, &joins);
        let constants = needed_constants(graph, &needed);
        let place = |tensor: usize| match graph.tensors[tensor].origin {
            Origin::Input => Place::Input(inputs.binary_search(&tensor).expect("it is an input")),
            Origin::Constant(_) => Place::Constant(constants.binary_search(&tensor).expect("it is needed")),
            Origin::Node => Place::Shared(shared_of[tensor].expect("it is needed")),
            Origin::View(_) | Origin::Part { .. } => unreachable!("a base is neither"),
        };
        let place = |tensor: usize| place(graph.base(tensor));
        let mut params = Vec::new();
        let step = |(index, join): (usize, &Option<Join>)| {
            Step::new((graph, &place), &chains, (index, join.as_ref()), &mut params, limits)
        };
        let steps = joins.iter().enumerate().map(step).collect();
        let bytes = |&tensor: &usize| graph.tensors[tensor].spec.item_bytes() as u64;
        let planned = |&tensor: &usize| {
            let (name, spec) = (graph.tensors[tensor].name.clone(), graph.tensors[tensor].spec.clone());
            PlannedInput { name, spec, offset: STAMP_BYTES }
        };
        Ok(Self {
            max_batch: 0,
            depth: 0,
            steps,
            inputs: inputs.iter().map(planned).collect(),
            outputs: outputs(graph, &shared_of),
            constant_bytes: constants.iter().map(bytes).sum(),
            constants,
            shared,
            params,
            apart,
        })
    }

    /// Puts steps that are to be taken in the place of the two that they do.
    pub(super) fn settle(&mut self) {
        let mut gone = Vec::new();
        for step in &mut self.steps {
            if let Some(instead) = step.instead.take_if(|instead| instead.taken) {
                gone.push(instead.giver);
                *step = instead.step;
            }
        }
        gone.sort_unstable();
        for &giver in gone.iter().rev() {
            self.steps.remove(giver);
        }
        let moved = |giver: &mut usize| *giver -= gone.partition_point(|&other| other < *giver);
        let left = self.steps.iter_mut().filter_map(|step| step.instead.as_mut());
        left.for_each(|instead| moved(&mut instead.giver));
    }

    /// Bytes that go up with a full batch, its stamp included.
    pub(super) fn upload_bytes(&self) -> u64 {
        self.inputs.last().map_or(STAMP_BYTES, |input| input.offset + input.bytes(self.max_batch))
    }

    /// Bytes that come down with a full batch, its stamp and its times included.
    pub(super) fn readback_bytes(&self) -> u64 {
        self.readback_times() + TIMES_BYTES + kernel_times_bytes(self.steps.len())
    }

    /// Where the times of the batch, and those of its kernels behind them, lie in what is read back.
    pub(super) fn readback_times(&self) -> u64 {
        self.readback_stamp() + STAMP_BYTES
    }

    /// Where the stamp lies in what is read back.
    pub(super) fn readback_stamp(&self) -> u64 {
        let end = |output: &PlannedOutput| output.offset + self.max_batch as u64 * output.bytes;
        self.outputs.iter().map(end).max().unwrap_or(0).next_multiple_of(8)
    }

    /// Most bytes of device and staging memory at once, with as many batches in flight as
    /// [`Program::depth`](super::Program::depth) says. It is taken at `open`, and no more later.
    pub fn memory(&self) -> u64 {
        let slot = self.upload_bytes().saturating_mul(2).saturating_add(self.readback_bytes());
        let all = self.constant_bytes + self.params.len() as u64;
        all.saturating_add(self.shared_bytes()).saturating_add(slot.saturating_mul(self.depth as u64))
    }

    fn shared_bytes(&self) -> u64 {
        self.shared
            .iter()
            .fold(0, |all: u64, bytes| all.saturating_add(*bytes))
            .saturating_mul(self.max_batch as u64)
    }

    /// Every kernel with its number and the shape of what it gives, in the order in which they run.
    pub(super) fn labels(&self) -> impl Iterator<Item = String> + '_ {
        self.steps.iter().map(|step| format!("{} {}", step.name, step.shape))
    }

    /// Bytes of the constants on the device, each counted once: one a value of i8, two a value of f16, four of any
    /// other.
    pub fn constant_bytes(&self) -> u64 {
        self.constant_bytes
    }

    /// Bytes that the kernels read and write for a batch of `rows` items, each tensor counted once a kernel.
    pub fn bytes_moved(&self, rows: usize) -> u64 {
        self.kernels().map(|kernel| kernel.bytes_moved(rows)).sum()
    }

    /// Multiply-adds of one item.
    pub fn multiply_adds(&self) -> u64 {
        self.steps.iter().map(|step| step.multiply_adds).sum()
    }

    fn check(&self, graph: &Graph, limits: &Limits) -> Result<(), Error> {
        for step in &self.steps {
            step.check(limits)?;
        }
        for &constant in &self.constants {
            let bytes = graph.tensors[constant].spec.item_bytes() as u64;
            if bytes > limits.binding_bytes.min(limits.buffer_bytes) {
                let reason =
                    format!("{} has {bytes} bytes, more than the device can bind", graph.describe(constant));
                return Err(setting("Program::constant", reason));
            }
        }
        self.check_batch(limits)
    }

    /// Every limit that grows with the batch, in one place, so that the error knows what fits.
    fn check_batch(&self, limits: &Limits) -> Result<(), Error> {
        let input_bytes = self.inputs.iter().map(|input| input.spec.item_bytes() as u64);
        let bound = self.shared.iter().copied().chain(input_bytes.clone()).max().unwrap_or(0);
        let padded = |bytes: u64| bytes.checked_next_multiple_of(8).unwrap_or(u64::MAX);
        let staging = input_bytes.map(padded).fold(0, u64::saturating_add);
        let readback = self.outputs.iter().map(|output| padded(output.bytes)).fold(0, u64::saturating_add);
        let (largest, copied) = (bound, readback.max(staging));
        let parts = self.steps.iter().map(|step| step.parts).max().unwrap_or(1);
        let fits = [
            (u64::from(limits.workgroups / parts), "workgroups in one dimension of a dispatch"),
            (limits.binding_bytes.min(limits.buffer_bytes) / largest.max(1), "bytes in one binding"),
            (
                limits
                    .buffer_bytes
                    .saturating_sub(STAMP_BYTES + TIMES_BYTES + kernel_times_bytes(self.steps.len()))
                    / copied.max(1),
                "bytes in one buffer",
            ),
        ];
        let (most, limit) = fits.into_iter().min_by_key(|(most, _)| *most).expect("three limits");
        if self.max_batch as u64 <= most && self.max_batch > 0 {
            return Ok(());
        }
        Err(batch_size(self.max_batch, most, limit))
    }
}

/// The error for a batch that is too large, or of nothing.
pub(super) fn batch_size(asked: usize, most: u64, limit: &str) -> Error {
    let reason = match (asked, most) {
        (0, _) => "a batch has at least one item".into(),
        (_, 0) => format!("not even one item fits: the device has too few {limit}"),
        _ => format!("a batch of {asked} does not fit the device, {most} would: it has too few {limit}"),
    };
    setting("batch_size", reason)
}

impl PlannedInput {
    /// Bytes of its rows in the staging buffer; the next input's rows start where a mapped range may.
    pub(super) fn bytes(&self, rows: usize) -> u64 {
        (rows as u64 * self.spec.item_bytes() as u64).next_multiple_of(8)
    }
}

/// Puts the rows of one input behind the other's, once it is known that they fit.
fn place_inputs(inputs: &mut [PlannedInput], max_batch: usize) {
    let mut offset = STAMP_BYTES;
    for input in inputs {
        input.offset = offset;
        offset += input.bytes(max_batch);
    }
}

/// Puts the parameters of one dispatch behind the others, where the device can bind them.
fn append_params(all: &mut Vec<u8>, params: &[u8], alignment: usize) -> (u64, u64) {
    let offset = all.len().next_multiple_of(alignment.max(1));
    // A uniform struct has a multiple of 16 bytes, and a binding has at least one.
    let len = params.len().max(1).next_multiple_of(16);
    all.resize(offset, 0);
    all.extend_from_slice(params);
    all.resize(offset + len, 0);
    (offset as u64, len as u64)
}

fn outputs(graph: &Graph, shared_of: &[Option<usize>]) -> Vec<PlannedOutput> {
    let output = |&(_, tensor): &(String, usize)| {
        let spec = &graph.tensors[tensor].spec;
        PlannedOutput {
            buffer: shared_of[graph.base(tensor)].expect("an output is needed"),
            shape: spec.shape.clone(),
            bytes: spec.item_bytes() as u64,
            offset: 0,
        }
    };
    graph.outputs.iter().map(output).collect()
}

/// Puts the rows of one output behind the other's, once it is known that they fit.
fn place_outputs(outputs: &mut [PlannedOutput], max_batch: usize) {
    let mut offset = 0;
    for output in outputs {
        output.offset = offset;
        offset = (offset + output.bytes * max_batch as u64).next_multiple_of(8);
    }
}

#[cfg(test)]
mod tests;
