//! A graph of kernels over named tensors: plain data, checked while it is built.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::constant::Constant;
use super::tensors::Named;
use crate::error::{Cause, Error};
use crate::kernel::{Element, Kernel, Spec};

/// A tensor of one program, and of clones that were made since it was added: an input, a constant, or what a kernel
/// gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TensorId {
    /// No two tensors have the same.
    number: u64,
    index: usize,
}

/// Where the values of a tensor come from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    Input,
    Constant(Constant),
    Node,
    /// The values of another tensor, which is no view itself, in another shape.
    View(usize),
    /// Of each item of another tensor, which a kernel gives, the values from a place on.
    Part {
        of: usize,
        start: usize,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Tensor {
    number: u64,
    pub(super) name: String,
    pub(super) spec: Spec,
    pub(super) origin: Origin,
    /// Whether a device keeps its floats as halves.
    pub(super) halves: bool,
}

/// One use of a kernel. Tensors are indices into [`Graph::tensors`].
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kernel: Arc<dyn Kernel>,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
    /// How many parts of an item the kernel is run on, one after the other in memory; 1 is the whole item.
    pub(super) parts: usize,
}

impl Node {
    /// The kernel, if it is of this kind.
    pub(super) fn known<K: Kernel>(&self) -> Option<&K> {
        let kernel: &dyn Any = &*self.kernel;
        kernel.downcast_ref()
    }

    /// What the kernel sees of this tensor: where an item is done in parts, one part.
    pub(super) fn seen(&self, spec: &Spec) -> Spec {
        if self.parts == 1 || !spec.batched {
            return spec.clone();
        }
        Spec { shape: spec.shape[1..].to_vec(), ..spec.clone() }
    }
}

/// Tensors and kernels, each after what it reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    pub(super) tensors: Vec<Tensor>,
    pub(super) nodes: Vec<Node>,
    pub(super) outputs: Vec<(String, usize)>,
}

impl Graph {
    pub(super) fn input(&mut self, name: &str, spec: Spec) -> Result<TensorId, Error> {
        if !spec.batched {
            return Err(setting("Program::input", format!("{name} is not batched: make it a constant")));
        }
        if let Element::F16 | Element::I8 = spec.element {
            let reason = format!("{name} is of {}, which constants alone may be", spec.element);
            return Err(setting("Program::input", reason));
        }
        self.named("Program::input", name, spec, Origin::Input)
    }

    pub(super) fn constant(&mut self, name: &str, values: Constant) -> Result<TensorId, Error> {
        self.named("Program::constant", name, values.spec(), Origin::Constant(values))
    }

    pub(super) fn add(&mut self, kernel: Arc<dyn Kernel>, inputs: &[TensorId]) -> Result<TensorId, Error> {
        let inputs = self.indices("Program::add", inputs)?;
        self.add_node(kernel, inputs, 1)
    }

    /// The kernel on every part of the items along their first axis.
    pub(super) fn add_each(
        &mut self,
        kernel: Arc<dyn Kernel>,
        inputs: &[TensorId],
    ) -> Result<TensorId, Error> {
        let inputs = self.indices("Program::add_each", inputs)?;
        let parts = self.parts(&inputs).map_err(|cause| self.refused(&*kernel, &inputs, &cause))?;
        if parts > 1 {
            return self.add_node(kernel, inputs, parts);
        }
        let whole = |graph: &mut Self, index: usize| {
            let Spec { batched, shape, .. } = graph.tensors[index].spec.clone();
            if batched { graph.view(index, &shape[1..]) } else { Ok(index) }
        };
        let inputs = inputs.into_iter().map(|index| whole(self, index)).collect::<Result<Vec<_>, _>>()?;
        let output = self.add_node(kernel, inputs, 1)?;
        let shape: Vec<usize> =
            [1].into_iter().chain(self.tensors[output.index].spec.shape.clone()).collect();
        self.reshape(output, &shape)
    }

    /// The length of the first axis of every batched input.
    fn parts(&self, inputs: &[usize]) -> Result<usize, Cause> {
        let specs = inputs.iter().map(|&index| &self.tensors[index].spec).filter(|spec| spec.batched);
        let mut lengths: Vec<Option<usize>> = specs.clone().map(|spec| spec.shape.first().copied()).collect();
        lengths.dedup();
        let bytes = specs.clone().any(|spec| spec.element == Element::U8);
        match lengths[..] {
            [Some(parts)] if parts == 1 || !bytes => Ok(parts),
            [Some(_)] => Err(Cause::msg("bytes are not done in parts: their items are padded")),
            _ => Err(Cause::msg("activations whose first axes are equally long would fit")),
        }
    }

    fn add_node(
        &mut self,
        kernel: Arc<dyn Kernel>,
        inputs: Vec<usize>,
        parts: usize,
    ) -> Result<TensorId, Error> {
        let name = format!("{}.{}", kernel.name(), self.nodes.len());
        let node = Node { kernel, inputs, output: self.tensors.len(), parts };
        let specs: Vec<Spec> =
            node.inputs.iter().map(|&index| node.seen(&self.tensors[index].spec)).collect();
        let mut spec = node
            .kernel
            .output(&specs.iter().collect::<Vec<_>>())
            .and_then(|spec| checked_output(spec, parts))
            .map_err(|cause| self.refused(&*node.kernel, &node.inputs, &cause))?;
        if parts > 1 {
            spec.shape.insert(0, parts);
        }
        let output = self.push(name, spec, Origin::Node);
        self.nodes.push(node);
        Ok(self.id(output))
    }

    /// What a kernel gives for this tensor, which it stands right behind.
    pub(super) fn follow(&mut self, kernel: Arc<dyn Kernel>, tensor: usize) -> Option<usize> {
        let before = self.nodes.iter().position(|node| node.output == self.base(tensor));
        self.insert(before.map_or(0, |place| place + 1), kernel, vec![tensor])
    }

    /// What a kernel gives that stands at this place among the others.
    pub(super) fn insert(
        &mut self,
        place: usize,
        kernel: Arc<dyn Kernel>,
        inputs: Vec<usize>,
    ) -> Option<usize> {
        let id = self.add_node(kernel, inputs, 1).ok()?;
        let node = self.nodes.pop()?;
        self.nodes.insert(place, node);
        Some(id.index)
    }

    /// A constant of a name that nobody has.
    pub(super) fn constant_at(&mut self, name: &str, values: Constant) -> Option<usize> {
        self.constant(name, values).ok().map(|id| id.index)
    }

    /// The values of a tensor in another shape.
    pub(super) fn reshape(&mut self, tensor: TensorId, shape: &[usize]) -> Result<TensorId, Error> {
        let index = self.index("Program::reshape", tensor)?;
        self.view(index, shape).map(|view| self.id(view))
    }

    pub(super) fn view(&mut self, index: usize, shape: &[usize]) -> Result<usize, Error> {
        let spec = Spec { shape: shape.to_vec(), ..self.tensors[index].spec.clone() };
        if spec.len() != self.tensors[index].spec.len() {
            let reason = format!("{} has not the elements of {shape:?}", self.describe(index));
            return Err(setting("Program::reshape", reason));
        }
        if spec == self.tensors[index].spec {
            return Ok(index);
        }
        let whole = if let Origin::View(whole) = self.tensors[index].origin { whole } else { index };
        let name = format!("{}.view.{}", self.tensors[whole].name, self.tensors.len());
        Ok(self.push(name, spec, Origin::View(whole)))
    }

    /// The tensor whose memory this one has: itself, unless it is a view or a part.
    pub(super) fn base(&self, index: usize) -> usize {
        match self.tensors[index].origin {
            Origin::View(whole) => self.base(whole),
            Origin::Part { of, .. } => of,
            Origin::Input | Origin::Constant(_) | Origin::Node => index,
        }
    }

    /// Where in an item of its base a part begins; none where the tensor is all of it.
    pub(super) fn start(&self, index: usize) -> Option<usize> {
        match self.tensors[index].origin {
            Origin::View(whole) => self.start(whole),
            Origin::Part { start, .. } => Some(start),
            Origin::Input | Origin::Constant(_) | Origin::Node => None,
        }
    }

    /// A tensor as it lies on a device.
    pub(super) fn kept(&self, index: usize) -> Spec {
        let Spec { element, shape, batched } = self.tensors[index].spec.clone();
        let element = if self.tensors[self.base(index)].halves { Element::F16 } else { element };
        Spec { element, shape, batched }
    }

    /// Puts `kernel` between the only input, which becomes bytes of `spec`, and everything that reads it.
    pub(super) fn put_before_input(&mut self, kernel: Arc<dyn Kernel>, spec: Spec) -> Result<(), Error> {
        let inputs = self.inputs();
        let [input] = inputs[..] else {
            let reason = format!("there are {} inputs, and one is normalised", inputs.len());
            return Err(setting("Program::normalize", reason));
        };
        let Tensor { name, spec: wanted, .. } = &self.tensors[input];
        let given =
            kernel.output(&[&spec]).map_err(|cause| setting("Program::normalize", cause.to_string()))?;
        if given != *wanted {
            let reason = format!("it gives {given}, and {} is read", self.describe(input));
            return Err(setting("Program::normalize", reason));
        }
        let name = name.clone();
        self.tensors[input].name = format!("{}.{}", kernel.name(), self.nodes.len());
        self.tensors[input].origin = Origin::Node;
        let bytes = self.push(name, spec, Origin::Input);
        self.nodes.insert(0, Node { kernel, inputs: vec![bytes], output: input, parts: 1 });
        Ok(())
    }

    /// The same graph with floats in the place of halves.
    pub(super) fn widened(&self) -> Self {
        let mut graph = self.clone();
        for tensor in graph.tensors.iter_mut().filter(|tensor| tensor.spec.element == Element::F16) {
            tensor.spec.element = Element::F32;
            if let Origin::Constant(constant) = &mut tensor.origin {
                *constant = constant.widened();
            }
        }
        graph
    }

    pub(super) fn output(&mut self, name: &str, tensor: TensorId) -> Result<(), Error> {
        let index = self.index("Program::output", tensor)?;
        if self.outputs.iter().any(|(other, _)| other == name) {
            return Err(setting("Program::output", format!("there are two outputs called {name}")));
        }
        if !matches!(self.tensors[self.base(index)].origin, Origin::Node) {
            let reason = format!("{name} is what a kernel gives, not {}", self.tensors[index].name);
            return Err(setting("Program::output", reason));
        }
        self.outputs.push((name.into(), index));
        Ok(())
    }

    /// Leaves the outputs of these names alone.
    pub(super) fn keep_outputs<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
        let mut kept: Vec<(String, usize)> = Vec::new();
        for name in names {
            let Some(output) = self.outputs.iter().find(|(other, _)| other == name) else {
                let there: Vec<&str> = self.outputs.iter().map(|(name, _)| &name[..]).collect();
                let reason = format!("there is no output called {name}; there is {}", there.join(", "));
                return Err(setting("Program::only_outputs", reason));
            };
            if kept.iter().any(|(other, _)| other == name) {
                return Err(setting("Program::only_outputs", format!("{name} is named twice")));
            }
            kept.push(output.clone());
        }
        if kept.is_empty() {
            return Err(setting(
                "Program::only_outputs",
                "none is named, so there is nothing to compute".into(),
            ));
        }
        self.outputs = kept;
        Ok(())
    }

    /// Names and elements of the outputs.
    pub(super) fn named_outputs(&self) -> Arc<[Named]> {
        let named = |(name, tensor): &(String, usize)| Named::new(name, self.tensors[*tensor].spec.element);
        self.outputs.iter().map(named).collect()
    }

    /// The output of this name, else the input.
    pub(super) fn shown(&self, name: &str) -> Option<TensorId> {
        let output = self.outputs.iter().find(|(other, _)| other == name).map(|(_, index)| *index);
        let input = || self.inputs().into_iter().find(|&index| self.tensors[index].name == name);
        output.or_else(input).map(|index| self.id(index))
    }

    pub(super) fn spec(&self, tensor: TensorId) -> Option<&Spec> {
        self.index("", tensor).ok().map(|index| &self.tensors[index].spec)
    }

    /// The inputs in the order in which they were named. Indices into [`Graph::tensors`].
    pub(super) fn inputs(&self) -> Vec<usize> {
        let is_input = |index: &usize| matches!(self.tensors[*index].origin, Origin::Input);
        (0..self.tensors.len()).filter(is_input).collect()
    }

    fn named(
        &mut self,
        what: &'static str,
        name: &str,
        spec: Spec,
        origin: Origin,
    ) -> Result<TensorId, Error> {
        if spec.is_empty() {
            return Err(setting(what, format!("{name} has no elements: its shape is {:?}", spec.shape)));
        }
        if !can_be(&spec) {
            return Err(setting(what, format!("{name} is larger than any memory: {spec}")));
        }
        if self.tensors.iter().any(|tensor| tensor.name == name) {
            return Err(setting(what, format!("there are two tensors called {name}")));
        }
        let index = self.push(name.into(), spec, origin);
        Ok(self.id(index))
    }

    fn push(&mut self, name: String, spec: Spec, origin: Origin) -> usize {
        static TENSORS: AtomicU64 = AtomicU64::new(0);
        let number = TENSORS.fetch_add(1, Ordering::Relaxed);
        self.tensors.push(Tensor { number, name, spec, origin, halves: false });
        self.tensors.len() - 1
    }

    fn id(&self, index: usize) -> TensorId {
        TensorId { number: self.tensors[index].number, index }
    }

    fn indices(&self, what: &'static str, ids: &[TensorId]) -> Result<Vec<usize>, Error> {
        ids.iter().map(|&id| self.index(what, id)).collect()
    }

    fn index(&self, what: &'static str, id: TensorId) -> Result<usize, Error> {
        if self.tensors.get(id.index).is_some_and(|tensor| tensor.number == id.number) {
            return Ok(id.index);
        }
        Err(setting(what, "a tensor of another program was given".into()))
    }

    fn refused(&self, kernel: &dyn Kernel, inputs: &[usize], cause: &Cause) -> Error {
        let inputs: Vec<String> = inputs.iter().map(|&index| self.describe(index)).collect();
        setting("Program::add", format!("{} on {}: {cause}", kernel.name(), inputs.join(", ")))
    }

    /// Name, element type and shape.
    pub(super) fn describe(&self, index: usize) -> String {
        let Tensor { name, spec, .. } = &self.tensors[index];
        format!("{name} {spec}")
    }
}

/// Whether memory can hold an item of it: no allocation has more bytes than `isize::MAX`.
fn can_be(spec: &Spec) -> bool {
    spec.item_bytes() <= isize::MAX as usize
}

pub(super) fn setting(name: &'static str, reason: String) -> Error {
    Error::Setting { name, reason }
}

/// What every kernel gives: floats or whole numbers, one item a document.
pub(super) fn checked_output(spec: Spec, parts: usize) -> Result<Spec, Cause> {
    match spec {
        Spec { batched: false, .. } => {
            Err(Cause::msg("no input has a batch, so this is a constant: compute it before"))
        }
        Spec { element: element @ (Element::U8 | Element::I8 | Element::F16), .. } => {
            Err(Cause::msg(format!("a kernel gives f32 or i32, not {element}")))
        }
        spec if spec.is_empty() => Err(Cause::msg(format!("the output has no elements: {:?}", spec.shape))),
        spec if spec.item_bytes().checked_mul(parts).is_none_or(|bytes| bytes > isize::MAX as usize) => {
            Err(Cause::msg(format!("the output is larger than any memory: {spec}")))
        }
        spec => Ok(spec),
    }
}
