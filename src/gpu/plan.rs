//! A program planned for one device and one largest batch: what is run, where each tensor lives, and
//! whether it fits. Plain data: it can be printed and tested without a device.

use std::fmt;

use super::Limits;
use super::clock::TIMES_BYTES;
use super::graph::{Graph, Origin, setting, shape_name};
use super::lifetimes::{self, Lifetime};
use crate::error::Error;
use crate::kernel::{Dispatch, Spec};

/// Bytes of the stamp that every batch carries through the device and back.
pub(super) const STAMP_BYTES: u64 = 8;

/// What a program does for a batch, and what memory that takes. [`Program::plan`](super::Program::plan) makes it.
///
/// Its text has one line a kernel: output, shape, bytes and multiply-adds of one item.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) max_batch: usize,
    pub(super) steps: Vec<Step>,
    pub(super) input: Spec,
    pub(super) outputs: Vec<PlannedOutput>,
    pub(super) constants: Vec<usize>,
    /// Bytes of one item in each buffer that tensors share.
    pub(super) shared: Vec<u64>,
    pub(super) params: Vec<u8>,
    constant_bytes: u64,
    input_name: String,
}

/// One dispatch.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Index into the nodes of the graph.
    pub(super) node: usize,
    pub(super) dispatch: Dispatch,
    /// Offset and length of its parameters.
    pub(super) params: (u64, u64),
    pub(super) inputs: Vec<Place>,
    /// Buffer that it writes.
    pub(super) output: usize,
    pub(super) name: String,
    pub(super) shape: String,
    /// Bytes of one item that it writes, that it reads, and that it reads once a batch.
    pub(super) bytes: u64,
    pub(super) read_bytes: u64,
    pub(super) constant_bytes: u64,
    pub(super) multiply_adds: u64,
}

/// Where a tensor lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Input,
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
    pub(super) fn new(graph: &Graph, max_batch: usize, limits: &Limits) -> Result<Self, Error> {
        let mut plan = Self::unchecked(graph, max_batch, limits)?;
        plan.check(graph, limits)?;
        place_outputs(&mut plan.outputs, max_batch);
        Ok(plan)
    }

    fn unchecked(graph: &Graph, max_batch: usize, limits: &Limits) -> Result<Self, Error> {
        let input = graph.only_input()?;
        let needed = needed_nodes(graph)?;
        let (shared, shared_of) = share_buffers(graph, &needed);
        let constants = needed_constants(graph, &needed);
        let place = |tensor: usize| match graph.tensors[tensor].origin {
            Origin::Input => Place::Input,
            Origin::Constant(_) => Place::Constant(constants.binary_search(&tensor).expect("it is needed")),
            Origin::Node => Place::Shared(shared_of[tensor].expect("it is needed")),
        };
        let mut params = Vec::new();
        let steps = needed.iter().map(|&node| Step::new(graph, node, &place, &mut params, limits)).collect();
        let bytes = |&tensor: &usize| graph.tensors[tensor].spec.item_bytes() as u64;
        Ok(Self {
            max_batch,
            steps,
            input: graph.tensors[input].spec.clone(),
            input_name: graph.tensors[input].name.clone(),
            outputs: outputs(graph, &shared_of),
            constant_bytes: constants.iter().map(bytes).sum(),
            constants,
            shared,
            params,
        })
    }

    /// Bytes that go up with a full batch, its stamp included.
    pub(super) fn upload_bytes(&self) -> u64 {
        self.max_batch as u64 * self.input.item_bytes() as u64 + STAMP_BYTES
    }

    /// Bytes that come down with a full batch, its stamp and its times included.
    pub(super) fn readback_bytes(&self) -> u64 {
        self.readback_times() + TIMES_BYTES
    }

    /// Where the times lie in what is read back.
    pub(super) fn readback_times(&self) -> u64 {
        self.readback_stamp() + STAMP_BYTES
    }

    /// Where the stamp lies in what is read back.
    pub(super) fn readback_stamp(&self) -> u64 {
        let end = |output: &PlannedOutput| output.offset + self.max_batch as u64 * output.bytes;
        self.outputs.iter().map(end).max().unwrap_or(0).next_multiple_of(8)
    }

    /// Bytes of device and staging memory with `depth` batches in flight.
    pub fn memory(&self, depth: usize) -> u64 {
        let slot = self.upload_bytes().saturating_mul(2).saturating_add(self.readback_bytes());
        let all = self.constant_bytes + self.params.len() as u64;
        all.saturating_add(self.shared_bytes()).saturating_add(slot.saturating_mul(depth as u64))
    }

    fn shared_bytes(&self) -> u64 {
        self.shared
            .iter()
            .fold(0, |all: u64, bytes| all.saturating_add(*bytes))
            .saturating_mul(self.max_batch as u64)
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
        let largest = self.shared.iter().copied().max().unwrap_or(0).max(self.input.item_bytes() as u64);
        let readback =
            self.outputs.iter().map(|output| output.bytes.next_multiple_of(8)).fold(0, u64::saturating_add);
        let copied = readback.max(self.input.item_bytes() as u64);
        let fits = [
            (u64::from(limits.workgroups), "workgroups in one dimension of a dispatch"),
            (limits.binding_bytes.min(limits.buffer_bytes) / largest.max(1), "bytes in one binding"),
            (
                limits.buffer_bytes.saturating_sub(STAMP_BYTES + TIMES_BYTES) / copied.max(1),
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

impl Step {
    fn new(
        graph: &Graph,
        node: usize,
        place: &impl Fn(usize) -> Place,
        params: &mut Vec<u8>,
        limits: &Limits,
    ) -> Self {
        let (index, node) = (node, &graph.nodes[node]);
        let specs: Vec<&Spec> = node.inputs.iter().map(|&input| &graph.tensors[input].spec).collect();
        let output = &graph.tensors[node.output];
        let sum = |batched: bool| {
            specs.iter().filter(|spec| spec.batched == batched).map(|spec| spec.item_bytes() as u64).sum()
        };
        let dispatch = node.kernel.dispatch(&specs, &output.spec);
        let Place::Shared(buffer) = place(node.output) else { unreachable!("a node writes into a buffer") };
        Self {
            node: index,
            params: append_params(params, &dispatch.params, limits.params_alignment as usize),
            inputs: node.inputs.iter().map(|&input| place(input)).collect(),
            output: buffer,
            name: output.name.clone(),
            shape: shape_name(&output.spec),
            bytes: output.spec.item_bytes() as u64,
            read_bytes: sum(true),
            constant_bytes: sum(false),
            multiply_adds: node.kernel.multiply_adds(&specs, &output.spec),
            dispatch,
        }
    }

    fn check(&self, limits: &Limits) -> Result<(), Error> {
        let most = limits.workgroups;
        if self.dispatch.workgroups.iter().any(|&count| count > most || count == 0) {
            let [x, y] = self.dispatch.workgroups;
            let reason =
                format!("{} {} asks for {x} × {y} workgroups; 1 to {most} fit", self.name, self.shape);
            return Err(setting("Program::add", reason));
        }
        let tensors = self.inputs.len() + 1;
        if tensors as u64 > u64::from(limits.tensors) {
            let reason =
                format!("{} binds {tensors} tensors; the device allows {}", self.name, limits.tensors);
            return Err(setting("Program::add", reason));
        }
        Ok(())
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

/// Nodes that an output depends on, in order.
fn needed_nodes(graph: &Graph) -> Result<Vec<usize>, Error> {
    if graph.outputs.is_empty() {
        return Err(setting("Program::output", "there is none, so there is nothing to compute".into()));
    }
    let mut needed = vec![false; graph.tensors.len()];
    for (_, tensor) in &graph.outputs {
        needed[*tensor] = true;
    }
    for node in graph.nodes.iter().rev() {
        if needed[node.output] {
            node.inputs.iter().for_each(|&input| needed[input] = true);
        }
    }
    Ok((0..graph.nodes.len()).filter(|&node| needed[graph.nodes[node].output]).collect())
}

fn needed_constants(graph: &Graph, nodes: &[usize]) -> Vec<usize> {
    let is_constant = |tensor: &usize| matches!(graph.tensors[*tensor].origin, Origin::Constant(_));
    let read = nodes.iter().flat_map(|&node| &graph.nodes[node].inputs).copied();
    let mut constants: Vec<usize> = read.filter(is_constant).collect();
    constants.sort_unstable();
    constants.dedup();
    constants
}

/// Bytes of each buffer for one item, and the buffer of each tensor that a needed node gives.
fn share_buffers(graph: &Graph, nodes: &[usize]) -> (Vec<u64>, Vec<Option<usize>>) {
    let end = nodes.len();
    let last_read = |tensor: usize| {
        if graph.outputs.iter().any(|(_, output)| *output == tensor) {
            return end;
        }
        let reads = |step: &usize| graph.nodes[nodes[*step]].inputs.contains(&tensor);
        (0..end).rev().find(reads).unwrap_or(end)
    };
    let lifetime = |(step, &node): (usize, &usize)| {
        let tensor = graph.nodes[node].output;
        let bytes = graph.tensors[tensor].spec.item_bytes() as u64;
        Lifetime { first: step, last: last_read(tensor), bytes }
    };
    let lifetimes: Vec<Lifetime> = nodes.iter().enumerate().map(lifetime).collect();
    let shared = lifetimes::assign(&lifetimes);
    let mut shared_of = vec![None; graph.tensors.len()];
    for (&node, &buffer) in nodes.iter().zip(&shared.of) {
        shared_of[graph.nodes[node].output] = Some(buffer);
    }
    (shared.bytes, shared_of)
}

fn outputs(graph: &Graph, shared_of: &[Option<usize>]) -> Vec<PlannedOutput> {
    let output = |&(_, tensor): &(String, usize)| {
        let spec = &graph.tensors[tensor].spec;
        PlannedOutput {
            buffer: shared_of[tensor].expect("an output is needed"),
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

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_batch, input_name, input, .. } = self;
        writeln!(f, "batches of up to {max_batch}; {input_name} {}", shape_name(input))?;
        writeln!(f, "{:<24} {:<24} {:>12} {:>14}  buffer", "tensor", "shape", "bytes", "multiply-adds")?;
        for Step { name, shape, bytes, multiply_adds, output, .. } in &self.steps {
            writeln!(f, "{name:<24} {shape:<24} {bytes:>12} {multiply_adds:>14}  {output}")?;
        }
        let shared = self.shared_bytes();
        write!(
            f,
            "{} kernels, {} multiply-adds an item; bytes: {} constants, {shared} in {} shared buffers, {} up, {} down",
            self.steps.len(),
            self.multiply_adds(),
            self.constant_bytes,
            self.shared.len(),
            self.upload_bytes(),
            self.readback_bytes(),
        )
    }
}

#[cfg(test)]
mod tests;
