//! One step of a plan: a kernel, and what is done with it.

use super::chains::{self, Chain};
use super::variants::{self, Variant};
use super::{Place, setting};
use crate::error::Error;
use crate::gpu::Limits;
use crate::gpu::graph::Graph;
use crate::kernel::{Element, Epilogue, Lying, Part, Spec, keeps_to_its_shapes};

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
}

impl Step {
    pub(super) fn new(
        graph: &Graph,
        chain: Chain,
        place: &impl Fn(usize) -> Place,
        params: &mut Vec<u8>,
        limits: &Limits,
    ) -> Self {
        let node = &graph.nodes[chain.head];
        let inputs: Vec<usize> = chain.inputs(graph).collect();
        // A tensor, or a part of one, that is read in several ways is moved once.
        let moved = |&input: &usize| (graph.base(input), graph.start(input), graph.kept(input).item_bytes());
        let mut distinct: Vec<usize> = inputs.clone();
        distinct.sort_unstable_by_key(moved);
        distinct.dedup_by_key(|input| moved(input));
        let whole = distinct.iter().map(|&input| graph.kept(input));
        let sum = |batched: bool| -> u64 {
            let those = whole.clone().filter(|spec| spec.batched == batched);
            those.map(|spec| spec.item_bytes() as u64).sum()
        };
        let kept: Vec<Spec> = inputs.iter().map(|&input| graph.kept(input)).collect();
        let written = graph.kept(graph.nodes[chain.last].output);
        let constants = kept.iter().filter(|spec| !spec.batched).map(Spec::to_string);
        let constants: Vec<String> = constants.collect();
        let Place::Shared(buffer) = place(graph.nodes[chain.last].output) else {
            unreachable!("a node writes into a buffer")
        };
        let (seen, given) = chains::seen(graph, node);
        let seen: Vec<&Spec> = seen.iter().collect();
        let part = |&input: &usize| {
            let total = graph.tensors[graph.base(input)].spec.len();
            graph.start(input).map(|start| Part { start, total })
        };
        let parts: Vec<Option<Part>> = inputs.iter().map(part).collect();
        let lie: Vec<Lying<'_>> =
            kept.iter().zip(&parts).map(|(spec, part)| Lying { spec, part: *part }).collect();
        let dispatches = chain
            .dispatches
            .into_iter()
            .map(|one| if is_guarded() { one.guarded() } else { one })
            .map(|one| one.written_for(&lie, &written, &chain.then.epilogue))
            .collect();
        Self {
            node: chain.head,
            variants: variants::fitting(dispatches, params, limits),
            trusted: keeps_to_its_shapes(&*node.kernel),
            chosen: 0,
            inputs: inputs.iter().map(|&input| place(input)).collect(),
            output: buffer,
            name: graph.tensors[node.output].name.clone(),
            shape: written.to_string(),
            constants: constants.join(" "),
            parts: node.parts as u32,
            bytes: written.item_bytes() as u64,
            read_bytes: sum(true),
            constant_bytes: sum(false),
            multiply_adds: node.parts as u64 * node.kernel.multiply_adds(&seen, &given),
            element: written.element,
            reads: inputs
                .iter()
                .map(|&input| graph.kept(graph.base(input)))
                .map(|spec| (spec.element, spec.item_bytes() as u64))
                .collect(),
            starts: parts.iter().map(|part| part.map_or(0, |part| part.start)).collect(),
            left_out: Vec::new(),
            follows: chain.then.epilogue.names().collect::<Vec<_>>().join(", "),
            then: chain.then.epilogue,
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

/// Whether shaders look at places before they use them: in builds that check themselves, unless `GAPLESS_UNGUARDED` is
/// set. A driver that puts each function where it is called takes minutes for what that makes of a long shader.
fn is_guarded() -> bool {
    cfg!(debug_assertions) && std::env::var_os("GAPLESS_UNGUARDED").is_none()
}
