//! Which kernels need no pass of their own: what they do to each value is done by the kernel that gives it.

use crate::gpu::graph::{Graph, Node};
use crate::gpu::limits::Limits;
use crate::kernel::{Dispatch, Epilogue, Spec};

/// Most functions in a chain: with each, the source of the kernel before them grows.
const MOST: usize = 16;

/// A kernel, and those that are done with it.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// Index into the nodes of the graph, as all here: the kernel that runs.
    pub(super) head: usize,
    /// Where in the graph's order it runs, and what gives its output: its last one.
    pub(super) last: usize,
    /// The ways to run it, without what follows.
    pub(super) dispatches: Vec<Dispatch>,
    pub(super) then: Epilogue,
    /// Tensors that are read for what follows.
    pub(super) read: Vec<usize>,
}

/// What was found, and why what might have been done with another kernel is not.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains {
    pub(super) chains: Vec<Chain>,
    pub(super) apart: Vec<String>,
}

/// Who reads a tensor: how many times kernels do, and whether it is given as an output.
struct Readers {
    times: Vec<usize>,
    given: Vec<bool>,
}

impl Readers {
    fn new(graph: &Graph, needed: &[usize]) -> Self {
        let mut readers =
            Self { times: vec![0; graph.tensors.len()], given: vec![false; graph.tensors.len()] };
        for &node in needed {
            graph.nodes[node].inputs.iter().for_each(|&input| readers.times[graph.base(input)] += 1);
        }
        graph.outputs.iter().for_each(|(_, output)| readers.given[graph.base(*output)] = true);
        readers
    }
}

/// Puts each needed kernel behind the one that gives its values, where that can be. A chain stands where its last
/// kernel stood, so all that it reads is there.
pub(super) fn of(graph: &Graph, needed: &[usize], limits: &Limits) -> Chains {
    let readers = Readers::new(graph, needed);
    let mut found = Chains::default();
    let mut giver: Vec<Option<usize>> = vec![None; graph.tensors.len()];
    for &index in needed {
        let node = &graph.nodes[index];
        let chain = match found.joined(graph, index, &readers, &giver, limits) {
            Some(chain) => chain,
            None => {
                found.chains.push(Chain::new(graph, index));
                found.chains.len() - 1
            }
        };
        giver[node.output] = Some(chain);
    }
    found.chains.sort_by_key(|chain| chain.last);
    found
}

impl Chain {
    fn new(graph: &Graph, index: usize) -> Self {
        let node = &graph.nodes[index];
        let (inputs, output) = seen(graph, node);
        let dispatches = node.kernel.variants(&inputs.iter().collect::<Vec<_>>(), &output);
        Self { head: index, last: index, dispatches, then: Epilogue::default(), read: Vec::new() }
    }

    /// All tensors that it reads.
    pub(super) fn inputs<'a>(&'a self, graph: &'a Graph) -> impl Iterator<Item = usize> + 'a {
        graph.nodes[self.head].inputs.iter().chain(&self.read).copied()
    }

    /// The same with another kernel behind it, which reads it as its input at place `from`; or why not.
    fn with(&self, graph: &Graph, index: usize, from: usize, limits: &Limits) -> Result<Self, &'static str> {
        let node = &graph.nodes[index];
        let (inputs, output) = seen(graph, node);
        let inputs: Vec<&Spec> = inputs.iter().collect();
        let each = node.kernel.each().ok_or("it does more than a function of each value")?;
        let then = self.then.clone().with(each, &inputs, from, &output)?;
        let mut chain = Self { last: index, then, ..self.clone() };
        chain.read.extend(
            node.inputs.iter().enumerate().filter(|(place, _)| *place != from).map(|(_, input)| *input),
        );
        match () {
            _ if !self.dispatches.iter().all(Dispatch::takes_more) => Err("that kernel reads what it wrote"),
            _ if chain.then.names().count() > MOST => Err("too much follows already"),
            _ if chain.inputs(graph).count() + 1 > limits.tensors as usize => {
                Err("the device binds too few tensors")
            }
            _ => Ok(chain),
        }
    }
}

impl Chains {
    /// Puts the kernel behind the chain that gives one of its inputs, the later of two: the place of that chain.
    fn joined(
        &mut self,
        graph: &Graph,
        index: usize,
        readers: &Readers,
        giver: &[Option<usize>],
        limits: &Limits,
    ) -> Option<usize> {
        let node = &graph.nodes[index];
        if node.kernel.each().is_none() || node.parts > 1 {
            return None;
        }
        let (mut reasons, mut candidates) = (Vec::new(), Vec::new());
        for (from, &input) in node.inputs.iter().enumerate() {
            let base = graph.base(input);
            let Some(place) = giver[base] else { continue };
            let joined = match () {
                _ if readers.given[base] => Err("it is an output"),
                _ if readers.times[base] > 1 => Err("others read it too"),
                _ => self.chains[place].with(graph, index, from, limits),
            };
            match joined {
                Ok(chain) => candidates.push((place, chain)),
                Err(reason) => reasons.push(format!("{}: {reason}", graph.tensors[base].name)),
            }
        }
        let later = candidates.into_iter().max_by_key(|(place, _)| self.chains[*place].last);
        let Some((place, chain)) = later else {
            if !reasons.is_empty() {
                let name = &graph.tensors[node.output].name;
                self.apart.push(format!("{name} is apart from {}", reasons.join(", from ")));
            }
            return None;
        };
        self.chains[place] = chain;
        Some(place)
    }
}

/// What the kernel of a node sees: whole items or parts of them.
pub(super) fn seen(graph: &Graph, node: &Node) -> (Vec<Spec>, Spec) {
    let seen = |&tensor: &usize| node.seen(&graph.tensors[tensor].spec);
    (node.inputs.iter().map(seen).collect(), seen(&node.output))
}
