//! What asks, what is asked and what is given in attention are products of the same rows as a rule: one product with all
//! their columns, of which attention reads its part.

use std::sync::Arc;

use ndarray::{ArrayD, ArrayViewD, Axis, concatenate};

use super::views;
use crate::gpu::constant::Constant;
use crate::gpu::graph::{Graph, Node, Origin};
use crate::kernel::{Attention, MatMul, Rearrange};

/// Most bytes of a weight that is put together: a device binds more, and others may bind less.
const MOST: usize = 64 << 20;

/// Joins the products that each attention reads.
pub(super) fn join(graph: &mut Graph) {
    let attends = |node: &&Node| node.known::<Attention>().is_some();
    let outputs: Vec<usize> = graph.nodes.iter().filter(attends).map(|node| node.output).collect();
    for output in outputs {
        if let Some(joined) = joined(graph, output).filter(|joined| has_fewer(joined, graph)) {
            *graph = joined;
        }
    }
}

/// Whether there are fewer kernels once tensors are seen through.
fn has_fewer(one: &Graph, other: &Graph) -> bool {
    let [one, other] = [one, other].map(|graph| {
        let mut graph = graph.clone();
        views::see_through(&mut graph);
        graph.keep_needed();
        graph.nodes.len()
    });
    one < other
}

/// One of the products: its tensor, and what it is of.
struct Product<'a> {
    output: usize,
    rows: usize,
    kernel: &'a MatMul,
    weight: &'a Constant,
    bias: Option<&'a Constant>,
}

impl<'a> Product<'a> {
    fn new(graph: &'a Graph, tensor: usize) -> Option<Self> {
        let output = graph.base(tensor);
        let (node, kernel) = graph.given_by::<MatMul>(output)?;
        let constant = |tensor: usize| match &graph.tensors[tensor].origin {
            Origin::Constant(values) => Some(values),
            Origin::Input | Origin::Node | Origin::View(_) | Origin::Part { .. } => None,
        };
        let weight = constant(node.inputs[1])?;
        let bias = match node.inputs.get(2) {
            Some(&bias) => Some(constant(bias)?),
            None => None,
        };
        let plain = !kernel.transposes_a() && weight.spec().shape.len() == 2 && graph.readers(output) == 1;
        plain.then_some(Self { output, rows: node.inputs[0], kernel, weight, bias })
    }

    /// Whether it can be one product with another.
    fn suits(&self, other: &Self, graph: &Graph) -> bool {
        let rows = |product: &Self| (graph.base(product.rows), &graph.tensors[product.rows].spec);
        let element = |product: &Self| product.weight.spec().element;
        let alike = rows(self) == rows(other) && element(self) == element(other);
        alike && self.kernel == other.kernel && self.bias.is_some() == other.bias.is_some()
    }
}

/// The same graph with one product in the place of those that this attention reads.
fn joined(graph: &Graph, attention: usize) -> Option<Graph> {
    let node = &graph.nodes[graph.giver(attention)?];
    let bases = node.inputs[..3].iter().map(|&input| {
        let turned = views::turned_from(graph, input);
        turned.last().map_or(input, |(tensor, _)| *tensor)
    });
    let mut products: Vec<Product<'_>> = bases.filter_map(|base| Product::new(graph, base)).collect();
    let first = products
        .iter()
        .position(|one| products.iter().filter(|other| one.suits(other, graph)).count() > 1)?;
    products.swap(0, first);
    let (one, others) = products.split_first()?;
    let together: Vec<&Product<'_>> =
        [one].into_iter().chain(others.iter().filter(|other| one.suits(other, graph))).collect();
    let columns = usize::from(!one.kernel.transposes_b());
    let weight = side_by_side(&together.iter().map(|product| product.weight).collect::<Vec<_>>(), columns)?;
    let biases: Option<Vec<&Constant>> = together.iter().map(|product| product.bias).collect();
    let bias = match biases {
        Some(biases) => Some(side_by_side(&biases, 0)?),
        None => None,
    };
    let mut joined = graph.clone();
    let place = together.iter().filter_map(|product| graph.giver(product.output)).min()?;
    let name = |what: &str| format!("{}.{what}", graph.tensors[one.output].name);
    let mut inputs = vec![one.rows, joined.constant_at(&name("weights"), weight)?];
    if let Some(bias) = bias {
        inputs.push(joined.constant_at(&name("biases"), bias)?);
    }
    let whole = joined.insert(place, Arc::new(*one.kernel), inputs)?;
    let mut start = 0;
    for product in &together {
        let shape = &graph.tensors[product.output].spec.shape;
        let (last, leading) = shape.split_last()?;
        let starts = leading.iter().map(|_| 0).chain([start]).collect::<Vec<_>>();
        start += *last as i64;
        let ends = leading.iter().map(|&axis| axis as i64).chain([start]).collect::<Vec<_>>();
        let part = Rearrange::slice(starts, ends, vec![1; shape.len()]);
        let giver = joined.giver(product.output)?;
        let node = &joined.nodes[giver];
        joined.nodes[giver] = Node { kernel: Arc::new(part), inputs: vec![whole], ..node.clone() };
        joined.rename(product.output, "rearrange");
    }
    Some(joined)
}

/// Constants joined along an axis, unless they are too large together.
fn side_by_side(parts: &[&Constant], axis: usize) -> Option<Constant> {
    if parts.iter().map(|part| part.spec().item_bytes()).sum::<usize>() > MOST {
        return None;
    }
    let floats: Option<Vec<&ArrayD<f32>>> = parts.iter().map(|part| part.floats_alone()).collect();
    let halves: Option<Vec<&ArrayD<u16>>> = parts.iter().map(|part| part.halves_alone()).collect();
    match (floats, halves) {
        (Some(floats), _) => Some(Constant::floats(&concatenated(&floats, axis)?)),
        (_, Some(halves)) => Some(Constant::halves(&concatenated(&halves, axis)?)),
        _ => None,
    }
}

fn concatenated<T: Clone>(parts: &[&ArrayD<T>], axis: usize) -> Option<ArrayD<T>> {
    let views: Vec<ArrayViewD<'_, T>> = parts.iter().map(|part| part.view()).collect();
    concatenate(Axis(axis), &views).ok()
}
