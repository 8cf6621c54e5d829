//! Which kernels need no pass of their own: what they do to each value is done by the kernel that gives it.

use std::collections::BTreeSet;

use crate::gpu::graph::{Graph, Node};
use crate::gpu::limits::Limits;
use crate::kernel::{Dispatch, Epilogue, Rearrange, Spec};

/// A kernel, and those that are done with it. Nodes are indices into those of the graph.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The kernel that runs.
    pub(super) head: usize,
    /// Where in the graph's order it runs, and what gives its output: its last one.
    pub(super) last: usize,
    /// The ways to run it, without what follows.
    pub(super) dispatches: Vec<Dispatch>,
    pub(super) then: Then,
}

/// What follows a kernel.
#[derive(Clone, Debug)]
pub(super) struct Then {
    pub(super) epilogue: Epilogue,
    /// Tensors that are read for it.
    pub(super) read: Vec<usize>,
    /// The nodes that are done so.
    nodes: Vec<usize>,
    /// Which of them puts the values in another order.
    turned_at: Option<usize>,
}

/// What was found, and why what might have been done with another kernel is not.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains {
    pub(super) chains: Vec<Chain>,
    pub(super) apart: Vec<String>,
}

impl Chain {
    /// All tensors that it reads.
    pub(super) fn inputs<'a>(&'a self, graph: &'a Graph) -> impl Iterator<Item = usize> + 'a {
        graph.nodes[self.head].inputs.iter().chain(&self.then.read).copied()
    }
}

/// Puts each needed kernel behind one that gives it values, where that can be. A chain stands where its last kernel
/// stood, so all that it reads is there.
pub(super) fn of(graph: &Graph, needed: &[usize], limits: &Limits) -> Chains {
    let readers = Readers::new(graph, needed);
    let mut taken = vec![false; graph.nodes.len()];
    let (mut chains, mut reasons) = (Vec::new(), Vec::new());
    for &head in needed {
        if taken[head] {
            continue;
        }
        let (inputs, output) = seen(graph, &graph.nodes[head]);
        let dispatches = graph.nodes[head].kernel.variants(&inputs.iter().collect::<Vec<_>>(), &output);
        let takes_more = dispatches.iter().all(Dispatch::takes_more);
        let growing = Growing { graph, readers: &readers, taken: &taken, limits, head, takes_more };
        let (then, why) = growing.grown();
        then.nodes.iter().for_each(|&node| taken[node] = true);
        reasons.extend(why);
        chains.push(Chain { head, last: then.nodes.last().map_or(head, |&node| node), dispatches, then });
    }
    chains.sort_by_key(|chain| chain.last);
    let apart = reasons.into_iter().filter(|(node, _)| !taken[*node]).map(|(_, reason)| reason).collect();
    Chains { chains, apart }
}

/// Who reads and who gives each tensor, and which are given as outputs.
struct Readers {
    nodes: Vec<Vec<usize>>,
    giver: Vec<Option<usize>>,
    given: Vec<bool>,
}

impl Readers {
    fn new(graph: &Graph, needed: &[usize]) -> Self {
        let tensors = graph.tensors.len();
        let mut readers = Self {
            nodes: vec![Vec::new(); tensors],
            giver: vec![None; tensors],
            given: vec![false; tensors],
        };
        for &node in needed {
            let Node { inputs, output, .. } = &graph.nodes[node];
            inputs.iter().for_each(|&input| readers.nodes[graph.base(input)].push(node));
            readers.giver[*output] = Some(node);
        }
        graph.outputs.iter().for_each(|(_, output)| readers.given[graph.base(*output)] = true);
        readers
    }
}

/// A chain while it is looked for what follows its kernel.
struct Growing<'a> {
    graph: &'a Graph,
    readers: &'a Readers,
    taken: &'a [bool],
    limits: &'a Limits,
    head: usize,
    takes_more: bool,
}

impl Growing<'_> {
    /// All that can follow: as many functions as there are behind which one value is left that anything else reads.
    /// And for those that cannot, why.
    fn grown(&self) -> (Then, Vec<(usize, String)>) {
        let mut then =
            Then { epilogue: Epilogue::default(), read: Vec::new(), nodes: Vec::new(), turned_at: None };
        let mut best = then.clone();
        let mut reasons = Vec::new();
        let mut next: BTreeSet<usize> = self.readers_of(self.head).collect();
        while let Some(node) = next.pop_first() {
            match self.with(&then, node) {
                Ok(longer) => then = longer,
                Err(reason) => {
                    reasons.push((node, reason));
                    continue;
                }
            }
            next.extend(self.readers_of(node));
            if self.is_closed(&then) {
                best = then.clone();
            }
        }
        let why = self.reasons(&best, &reasons);
        (best, why)
    }

    fn readers_of(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.readers.nodes[self.graph.nodes[node].output].iter().copied()
    }

    /// The tensors of a chain: what its kernel gives, then what each function does.
    fn values<'b>(&'b self, then: &'b Then) -> impl Iterator<Item = usize> + 'b {
        [self.head].into_iter().chain(then.nodes.iter().copied()).map(|node| self.graph.nodes[node].output)
    }

    /// Whether nothing else reads any value but the last.
    fn is_closed(&self, then: &Then) -> bool {
        self.values(then).take(then.nodes.len()).all(|tensor| {
            !self.readers.given[tensor]
                && self.readers.nodes[tensor].iter().all(|node| then.nodes.contains(node))
        })
    }

    /// The same with another kernel behind it; or why not.
    fn with(&self, then: &Then, index: usize) -> Result<Then, &'static str> {
        let node = &self.graph.nodes[index];
        if let Some(turn) = node.known::<Rearrange>() {
            return self.turned(then, index, turn);
        }
        let each = node.kernel.each().filter(|_| node.parts == 1);
        let each = each.ok_or("it does more than a function of each value")?;
        if !self.takes_more {
            return Err("that kernel reads what it wrote");
        }
        // What was given before the order changed is not where it was.
        let values: Vec<usize> = self.values(then).skip(then.turned_at.map_or(0, |at| at + 1)).collect();
        let place = |&input: &usize| values.iter().position(|&value| value == self.graph.base(input));
        if node.inputs.iter().any(|input| self.graph.start(*input).is_some() && place(input).is_some()) {
            return Err("a part of the values is read");
        }
        let places: Vec<Option<usize>> = node.inputs.iter().map(place).collect();
        let others =
            node.inputs.iter().zip(&places).filter(|(_, place)| place.is_none()).map(|(input, _)| *input);
        let others: Vec<usize> = others.collect();
        if others.iter().any(|&other| self.waits_for(other)) {
            return Err("a later kernel does it");
        }
        let (inputs, output) = seen(self.graph, node);
        let inputs: Vec<&Spec> = inputs.iter().collect();
        let epilogue = then.epilogue.clone().with(each, &inputs, &places, &output)?;
        let read: Vec<usize> = then.read.iter().copied().chain(others).collect();
        if self.graph.nodes[self.head].inputs.len() + read.len() + 1 > self.limits.tensors as usize {
            return Err("the device binds too few tensors");
        }
        let nodes = then.nodes.iter().copied().chain([index]).collect();
        Ok(Then { epilogue, read, nodes, turned_at: then.turned_at })
    }

    /// The same with its last value in another order.
    fn turned(&self, then: &Then, index: usize, turn: &Rearrange) -> Result<Then, &'static str> {
        let node = &self.graph.nodes[index];
        let last = self.values(then).last().filter(|_| node.parts == 1 && self.takes_more);
        let alone = |tensor: usize| {
            let (input, whole) = (node.inputs[0], self.graph.start(node.inputs[0]).is_none());
            let of_this = self.graph.base(input) == tensor && whole;
            of_this && !self.readers.given[tensor] && self.readers.nodes[tensor].len() == 1
        };
        if !last.is_some_and(alone) || !self.is_closed(then) {
            return Err("others read what is in the order before");
        }
        let shape = &self.graph.tensors[node.output].spec.shape;
        let epilogue = turn.behind(then.epilogue.clone(), shape)?;
        let nodes = then.nodes.iter().copied().chain([index]).collect();
        Ok(Then { epilogue, read: then.read.clone(), nodes, turned_at: Some(then.nodes.len()) })
    }

    /// Whether a tensor is given later than this chain's first, for the same reader alone: of two that might be added,
    /// the later one does it, so that the other need not be kept for it.
    fn waits_for(&self, tensor: usize) -> bool {
        let base = self.graph.base(tensor);
        let alone = self.readers.nodes[base].len() == 1 && !self.readers.given[base];
        let later =
            self.readers.giver[base].filter(|&giver| alone && giver > self.head && !self.taken[giver]);
        later.is_some_and(|giver| {
            let node = &self.graph.nodes[giver];
            let (inputs, output) = seen(self.graph, node);
            let takes_more =
                || node.kernel.dispatch(&inputs.iter().collect::<Vec<_>>(), &output).takes_more();
            node.kernel.each().is_some() || takes_more()
        })
    }

    /// Why functions of the last value do not follow.
    fn reasons(&self, then: &Then, reasons: &[(usize, &'static str)]) -> Vec<(usize, String)> {
        let Some(last) = self.values(then).last() else { return Vec::new() };
        let name = |node: usize| &self.graph.tensors[self.graph.nodes[node].output].name;
        let behind = self.readers.nodes[last].iter().filter(|&&node| {
            let Node { kernel, parts, .. } = &self.graph.nodes[node];
            kernel.each().is_some() && *parts == 1
        });
        let why = |&node: &usize| {
            let own = reasons.iter().find(|(other, _)| *other == node).map(|(_, reason)| *reason);
            let reason = match own {
                Some(reason) => reason,
                None if self.readers.given[last] => "it is an output",
                None => "others read it too",
            };
            (node, format!("{} is apart from {}: {reason}", name(node), name(self.head)))
        };
        behind.map(why).collect()
    }
}

/// What the kernel of a node sees: whole items or parts of them.
pub(super) fn seen(graph: &Graph, node: &Node) -> (Vec<Spec>, Spec) {
    let seen = |&tensor: &usize| node.seen(&graph.tensors[tensor].spec);
    (node.inputs.iter().map(seen).collect(), seen(&node.output))
}
