//! A graph of kernels over named tensors: plain data, checked while it is built.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ndarray::ArrayD;

use crate::error::{Cause, Error};
use crate::kernel::{Element, Kernel, Spec};

/// A tensor of one program: an input, a constant, or what a kernel gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TensorId {
    graph: u32,
    index: usize,
}

/// Where the values of a tensor come from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    Input,
    Constant(Arc<ArrayD<f32>>),
    Node,
}

#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) spec: Spec,
    pub(super) origin: Origin,
}

/// One use of a kernel. Tensors are indices into [`Graph::tensors`].
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kernel: Arc<dyn Kernel>,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
}

/// Tensors and kernels, each after what it reads.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    id: u32,
    pub(super) tensors: Vec<Tensor>,
    pub(super) nodes: Vec<Node>,
    pub(super) outputs: Vec<(String, usize)>,
}

impl Graph {
    pub(super) fn new() -> Self {
        static GRAPHS: AtomicU32 = AtomicU32::new(0);
        let id = GRAPHS.fetch_add(1, Ordering::Relaxed);
        Self { id, tensors: Vec::new(), nodes: Vec::new(), outputs: Vec::new() }
    }

    pub(super) fn input(&mut self, name: &str, spec: Spec) -> Result<TensorId, Error> {
        if !spec.batched {
            return Err(setting("Program::input", format!("{name} is not batched: make it a constant")));
        }
        self.named("Program::input", name, spec, Origin::Input)
    }

    pub(super) fn constant(&mut self, name: &str, values: ArrayD<f32>) -> Result<TensorId, Error> {
        let spec = Spec { element: Element::F32, shape: values.shape().to_vec(), batched: false };
        let values = values.as_standard_layout().into_owned();
        self.named("Program::constant", name, spec, Origin::Constant(Arc::new(values)))
    }

    pub(super) fn add(&mut self, kernel: Arc<dyn Kernel>, inputs: &[TensorId]) -> Result<TensorId, Error> {
        let inputs =
            inputs.iter().map(|&id| self.index("Program::add", id)).collect::<Result<Vec<_>, _>>()?;
        let specs: Vec<&Spec> = inputs.iter().map(|&index| &self.tensors[index].spec).collect();
        let spec = kernel
            .output(&specs)
            .and_then(checked_output)
            .map_err(|cause| self.refused(&*kernel, &inputs, &cause))?;
        let name = format!("{}.{}", kernel.name(), self.nodes.len());
        let output = self.push(Tensor { name, spec, origin: Origin::Node });
        self.nodes.push(Node { kernel, inputs, output });
        Ok(self.id(output))
    }

    pub(super) fn output(&mut self, name: &str, tensor: TensorId) -> Result<(), Error> {
        let index = self.index("Program::output", tensor)?;
        if self.outputs.iter().any(|(other, _)| other == name) {
            return Err(setting("Program::output", format!("there are two outputs called {name}")));
        }
        if !matches!(self.tensors[index].origin, Origin::Node) {
            let reason = format!("{name} is what a kernel gives, not {}", self.tensors[index].name);
            return Err(setting("Program::output", reason));
        }
        self.outputs.push((name.into(), index));
        Ok(())
    }

    pub(super) fn spec(&self, tensor: TensorId) -> Option<&Spec> {
        self.index("", tensor).ok().map(|index| &self.tensors[index].spec)
    }

    /// The only input. Index into [`Graph::tensors`].
    pub(super) fn only_input(&self) -> Result<usize, Error> {
        let is_input = |index: &usize| matches!(self.tensors[*index].origin, Origin::Input);
        let inputs: Vec<usize> = (0..self.tensors.len()).filter(is_input).collect();
        match inputs[..] {
            [input] => Ok(input),
            _ => {
                let reason =
                    format!("an item of a batch is one tensor, and there are {} inputs", inputs.len());
                Err(setting("Program::input", reason))
            }
        }
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
            return Err(setting(what, format!("{name} is larger than any memory: {}", shape_name(&spec))));
        }
        if self.tensors.iter().any(|tensor| tensor.name == name) {
            return Err(setting(what, format!("there are two tensors called {name}")));
        }
        let index = self.push(Tensor { name: name.into(), spec, origin });
        Ok(self.id(index))
    }

    fn push(&mut self, tensor: Tensor) -> usize {
        self.tensors.push(tensor);
        self.tensors.len() - 1
    }

    fn id(&self, index: usize) -> TensorId {
        TensorId { graph: self.id, index }
    }

    fn index(&self, what: &'static str, id: TensorId) -> Result<usize, Error> {
        if id.graph == self.id && id.index < self.tensors.len() {
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
        format!("{name} {}", shape_name(spec))
    }
}

pub(super) fn shape_name(spec: &Spec) -> String {
    let element = match spec.element {
        Element::U8 => "u8",
        Element::F32 => "f32",
    };
    let shape: Vec<String> = spec.shape.iter().map(ToString::to_string).collect();
    format!("{element}[{}]", shape.join(","))
}

/// Whether memory can hold an item of it: no allocation has more bytes than `isize::MAX`.
fn can_be(spec: &Spec) -> bool {
    spec.item_bytes() <= isize::MAX as usize
}

pub(super) fn setting(name: &'static str, reason: String) -> Error {
    Error::Setting { name, reason }
}

/// What every kernel gives: floats, one item a document.
fn checked_output(spec: Spec) -> Result<Spec, Cause> {
    match spec {
        Spec { batched: false, .. } => {
            Err(Cause::msg("no input has a batch, so this is a constant: compute it before"))
        }
        Spec { element: Element::U8, .. } => Err(Cause::msg("a kernel gives floats, not bytes")),
        spec if spec.is_empty() => Err(Cause::msg(format!("the output has no elements: {:?}", spec.shape))),
        spec if !can_be(&spec) => {
            Err(Cause::msg(format!("the output is larger than any memory: {}", shape_name(&spec))))
        }
        spec => Ok(spec),
    }
}
