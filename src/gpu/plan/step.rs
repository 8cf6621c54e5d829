//! One step of a plan: a kernel, and what is done with it.

use super::chains::{self, Chain};
use super::joins::Join;
use super::variants::{self, Variant};
use super::{Place, setting};
use crate::error::Error;
use crate::gpu::Limits;
use crate::gpu::graph::Graph;
use crate::kernel::{Before, Dispatch, Element, Epilogue, Lying, Part, Spec, keeps_to_its_shapes};

/// What the names of variants end with that compute what another kernel gives.
const JOINED: &str = "+joined";

/// One dispatch: a kernel, and what is done to each value before it is written.
#[derive(Clone, Debug)]
pub(in crate::gpu) struct Step {
    /// The kernel: an index into the nodes of the graph.
    pub(in crate::gpu) node: usize,
    pub(in crate::gpu) then: Epilogue,
    /// What that is called.
    pub(in crate::gpu) follows: String,
    /// Every way to do it that the device can go, the plainest first.
    pub(in crate::gpu) variants: Vec<Variant>,
    /// Whether its shaders use no place that is not there: see `hardware/trusted.rs`.
    #[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "the twins have no shaders"))]
    pub(in crate::gpu) trusted: bool,
    /// The one that is gone.
    pub(in crate::gpu) chosen: usize,
    /// Parts of an item that the dispatch is for; the z of a batch is as many times larger.
    pub(in crate::gpu) parts: u32,
    /// Inputs of the kernel, then what is read for what follows.
    pub(in crate::gpu) inputs: Vec<Place>,
    /// Where in an item of its buffer each of them begins.
    pub(in crate::gpu) starts: Vec<usize>,
    /// Buffer that it writes.
    pub(in crate::gpu) output: usize,
    pub(in crate::gpu) name: String,
    pub(in crate::gpu) shape: String,
    /// Element types and shapes of the constants that it reads.
    pub(in crate::gpu) constants: String,
    /// Bytes of one item that it writes, that it reads, and that it reads once a batch.
    pub(in crate::gpu) bytes: u64,
    pub(in crate::gpu) read_bytes: u64,
    pub(in crate::gpu) constant_bytes: u64,
    pub(in crate::gpu) multiply_adds: u64,
    /// What elements it gives.
    #[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "the twins are not tried"))]
    pub(in crate::gpu) element: Element,
    /// Elements of each input, and bytes of an item of it.
    #[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "the twins are not tried"))]
    pub(in crate::gpu) reads: Vec<(Element, u64)>,
    /// Variants that a trial left out, and why.
    pub(in crate::gpu) left_out: Vec<String>,
    /// The kernel that it computes where it reads what that gives, and what follows that.
    pub(in crate::gpu) computes: String,
    /// Another step in the place of this one and of the one before.
    pub(in crate::gpu) instead: Option<Box<Instead>>,
}

/// A step that does what two do.
#[derive(Clone, Debug)]
pub(in crate::gpu) struct Instead {
    /// The first of the two: its place among the steps.
    pub(in crate::gpu) giver: usize,
    /// Whether it is to be taken.
    pub(in crate::gpu) taken: bool,
    pub(in crate::gpu) step: Step,
}

/// Tensors that are read, as they lie on a device.
struct Read {
    specs: Vec<Spec>,
    parts: Vec<Option<Part>>,
}

impl Read {
    fn new(graph: &Graph, inputs: &[usize]) -> Self {
        let part = |&input: &usize| {
            let total = graph.tensors[graph.base(input)].spec.len();
            graph.start(input).map(|start| Part { start, total })
        };
        let specs = inputs.iter().map(|&input| graph.kept(input)).collect();
        Self { specs, parts: inputs.iter().map(part).collect() }
    }

    fn lie(&self) -> Vec<Lying<'_>> {
        let lying = |(spec, part): (_, &Option<Part>)| Lying { part: *part, ..Lying::whole(spec) };
        self.specs.iter().zip(&self.parts).map(lying).collect()
    }

    /// The shaders of a chain that reads these, the first of them computed where it is read.
    fn written(
        &self,
        graph: &Graph,
        chain: &Chain,
        dispatches: &[Dispatch],
        before: Option<Before<'_>>,
    ) -> Vec<Dispatch> {
        let written = graph.kept(graph.nodes[chain.last].output);
        let mut lie = self.lie();
        lie.iter_mut().take(1).for_each(|first| first.before = before);
        let guarded = |one: Dispatch| if is_guarded() { one.guarded() } else { one };
        let write = |one| guarded(one).written_for(&lie, &written, &chain.then.epilogue);
        dispatches.iter().cloned().map(write).collect()
    }
}

impl Step {
    /// A chain as a step, and the way to do it together with the one before, where there is such.
    pub(super) fn new(
        (graph, place): (&Graph, &impl Fn(usize) -> Place),
        chains: &[Chain],
        (index, join): (usize, Option<&Join>),
        params: &mut Vec<u8>,
        limits: &Limits,
    ) -> Self {
        let chain = &chains[index];
        let inputs: Vec<usize> = chain.inputs(graph).collect();
        let read = Read::new(graph, &inputs);
        let written = read.written(graph, chain, &chain.dispatches, None);
        let variants = variants::fitting(written, params, limits);
        let step = Self::reading(graph, place, chain, (&inputs, variants));
        let instead = join.and_then(|join| {
            let giver = &chains[join.giver];
            let given = Read::new(graph, &giver.inputs(graph).collect::<Vec<_>>());
            let lie = given.lie();
            let before = Before { computed: &join.computed, inputs: &lie, then: &giver.then.epilogue };
            let mut written = read.written(graph, chain, &join.dispatches, Some(before));
            written.retain(|dispatch| limits.meet(dispatch));
            let mut variants = variants::fitting(written, params, limits);
            variants.iter_mut().for_each(|variant| variant.name.push_str(JOINED));
            let inputs: Vec<usize> = join.inputs(graph, chains, chain).collect();
            let step = Self::reading(graph, place, chain, (&inputs, variants));
            let instead = Instead { giver: join.giver, taken: false, step: step.with(graph, giver) };
            (!instead.step.variants.is_empty()).then(|| Box::new(instead))
        });
        Self { instead, ..step }
    }

    /// The step of a chain with these tensors and variants.
    fn reading(
        graph: &Graph,
        place: &impl Fn(usize) -> Place,
        chain: &Chain,
        (inputs, variants): (&[usize], Vec<Variant>),
    ) -> Self {
        let node = &graph.nodes[chain.head];
        // A tensor, or a part of one, that is read in several ways is moved once.
        let moved = |&input: &usize| (graph.base(input), graph.start(input), graph.kept(input).item_bytes());
        let mut distinct = inputs.to_vec();
        distinct.sort_unstable_by_key(moved);
        distinct.dedup_by_key(|input| moved(input));
        let whole = distinct.iter().map(|&input| graph.kept(input));
        let sum = |batched: bool| -> u64 {
            let those = whole.clone().filter(|spec| spec.batched == batched);
            those.map(|spec| spec.item_bytes() as u64).sum()
        };
        let constants = inputs.iter().map(|&input| graph.kept(input)).filter(|spec| !spec.batched);
        let constants: Vec<String> = constants.map(|spec| spec.to_string()).collect();
        let reads = inputs.iter().map(|&input| graph.kept(graph.base(input)));
        let Place::Shared(output) = place(graph.nodes[chain.last].output) else {
            unreachable!("a node writes into a buffer")
        };
        let written = graph.kept(graph.nodes[chain.last].output);
        Self {
            node: chain.head,
            variants,
            trusted: keeps_to_its_shapes(&*node.kernel),
            chosen: 0,
            inputs: inputs.iter().map(|&input| place(input)).collect(),
            output,
            name: graph.tensors[node.output].name.clone(),
            shape: written.to_string(),
            constants: constants.join(" "),
            parts: node.parts as u32,
            bytes: written.item_bytes() as u64,
            read_bytes: sum(true),
            constant_bytes: sum(false),
            multiply_adds: multiply_adds(graph, chain),
            element: written.element,
            reads: reads.map(|spec| (spec.element, spec.item_bytes() as u64)).collect(),
            starts: inputs.iter().map(|&input| graph.start(input).unwrap_or(0)).collect(),
            left_out: Vec::new(),
            computes: String::new(),
            follows: follows(chain),
            then: chain.then.epilogue.clone(),
            instead: None,
        }
    }

    /// The same with what is computed in the place of being read.
    fn with(self, graph: &Graph, giver: &Chain) -> Self {
        let name = [graph.tensors[graph.nodes[giver.head].output].name.clone(), follows(giver)];
        Self {
            computes: name.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", "),
            multiply_adds: self.multiply_adds + multiply_adds(graph, giver),
            ..self
        }
    }

    /// Says whether the step in the place of two is taken, and by which variant. What was left out of it is told of this
    /// one where it is not.
    #[cfg(feature = "gpu")]
    pub(in crate::gpu) fn decide(&mut self, variant: Option<usize>, left_out: Vec<String>) {
        match (variant, &mut self.instead) {
            (Some(variant), Some(instead)) => {
                instead.taken = true;
                (instead.step.chosen, instead.step.left_out) = (variant, left_out);
            }
            _ => self.left_out.extend(left_out),
        }
    }

    pub(super) fn check(&self, limits: &Limits) -> Result<(), Error> {
        let most = limits.workgroups;
        if self.dispatch().workgroups.iter().any(|&count| count > most || count == 0) {
            let [x, y] = self.dispatch().workgroups;
            let reason =
                format!("{} {} asks for {x} × {y} workgroups; 1 to {most} fit", self.name, self.shape);
            return Err(setting("Program::add", reason));
        }
        if let Some(missing) = limits.missing(&self.dispatch().needs) {
            return Err(setting("Program::add", format!("{} needs {missing}", self.name)));
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

fn multiply_adds(graph: &Graph, chain: &Chain) -> u64 {
    let node = &graph.nodes[chain.head];
    let (seen, given) = chains::seen(graph, node);
    node.parts as u64 * node.kernel.multiply_adds(&seen.iter().collect::<Vec<_>>(), &given)
}

/// What follows the kernel of a chain.
fn follows(chain: &Chain) -> String {
    chain.then.epilogue.names().collect::<Vec<_>>().join(", ")
}

/// Whether shaders look at places before they use them: in builds that check themselves, unless `GAPLESS_UNGUARDED` is
/// set. A driver that puts each function where it is called takes minutes for what that makes of a long shader.
fn is_guarded() -> bool {
    cfg!(debug_assertions) && std::env::var_os("GAPLESS_UNGUARDED").is_none()
}
