//! A model as it was read, with what the caller fixes before it becomes a program.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use ndarray::{Array, Dimension};
use prost::Message;

use super::build;
use super::fold::{self, Budget};
use super::fuse;
use super::graph::{Dim, Graph, Input};
use super::items::{self, Items};
use super::ops;
use super::proto::ModelProto;
use super::tensor::{Kind, Tensor};
use crate::error::{Cause, Error};
use crate::file;
use crate::gpu::{Gpu, Program, TensorId};

/// More bytes are no protobuf message.
const MOST_BYTES: u64 = (1 << 31) - 1;

/// A network that was read from an ONNX file.
///
/// [`Program::onnx`] is the short form where nothing has to be fixed. A model is run on every item
/// independently: where the first axis of every input is symbolic or 1, it is the batch axis, and an
/// item has the shape without it; else an item is a whole tensor of the model's shape. Inputs of whole
/// numbers or flags are floats here that are whole numbers.
///
/// ```
/// use gapless::Gpu;
/// use gapless::onnx::Model;
///
/// # if !std::path::Path::new("models/efficientnet-lite0.onnx").exists() { return Ok(()) }
/// let model = Model::read("models/efficientnet-lite0.onnx")?; // of the repository; the package leaves it out
/// assert_eq!(model.inputs().map(|input| input.to_string()).collect::<Vec<_>>(), ["input [n, 3, 224, 224]"]);
/// assert_eq!(model.outputs().collect::<Vec<_>>(), ["prob", "embedding"]);
///
/// // Convolutions do not mind how large a photo is.
/// let program = model.input_shape("input", &[1, 3, 240, 320]).program(&Gpu::cpu())?;
/// println!("{}", program.plan(16)?);
/// # Ok::<(), gapless::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Model {
    graph: Graph,
    dims: HashMap<String, usize>,
    shapes: HashMap<String, Vec<usize>>,
    bound: HashMap<String, Constant>,
}

/// Values that an input of a model is fixed to: floats, whole numbers or flags.
#[derive(Clone, Debug)]
pub struct Constant(Tensor);

impl<D: Dimension> From<Array<f32, D>> for Constant {
    fn from(values: Array<f32, D>) -> Self {
        Self(Tensor::F32(values.into_dyn()))
    }
}

impl<D: Dimension> From<Array<i64, D>> for Constant {
    fn from(values: Array<i64, D>) -> Self {
        Self(Tensor::I64(values.into_dyn()))
    }
}

impl<D: Dimension> From<Array<bool, D>> for Constant {
    fn from(values: Array<bool, D>) -> Self {
        Self(Tensor::Bool(values.into_dyn()))
    }
}

impl Model {
    /// Reads a file, and the files beside it that it names.
    ///
    /// # Errors
    /// If it cannot be read, is no regular file, or is no ONNX model; the error names the file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let folder = path.parent().unwrap_or(Path::new(""));
        let model = file::read(path, MOST_BYTES).and_then(|bytes| {
            Self::decode(&bytes, Some(folder)).map_err(|cause| cause.context(file::name(path)))
        });
        model.map_err(|cause| setting("onnx::Model::read", &cause))
    }

    /// Reads a model that is in memory. Its values cannot stand in other files.
    ///
    /// ```
    /// let error = gapless::onnx::Model::from_bytes(b"no model").unwrap_err();
    /// assert!(error.to_string().starts_with("onnx::Model::from_bytes: "));
    /// ```
    ///
    /// # Errors
    /// If it is no ONNX model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::decode(bytes, None).map_err(|cause| setting("onnx::Model::from_bytes", &cause))
    }

    fn decode(bytes: &[u8], folder: Option<&Path>) -> Result<Self, Cause> {
        let graph = Graph::new(ModelProto::decode(bytes)?, folder)?;
        Ok(Self { graph, dims: HashMap::new(), shapes: HashMap::new(), bound: HashMap::new() })
    }

    /// The inputs that are not bound, in the order of the file. Its initializers are none.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.graph.inputs.iter().filter(|input| !self.bound.contains_key(&input.name))
    }

    /// Names of the outputs, in the order of the file.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.graph.outputs.iter().map(String::as_str)
    }

    /// The length of a symbolic axis, wherever it stands. A symbolic batch axis is 1 without it.
    pub fn dim(mut self, symbol: &str, length: usize) -> Self {
        self.dims.insert(symbol.into(), length);
        self
    }

    /// The whole shape of an input, whatever the file says about it.
    ///
    /// A first axis of 1 is then the batch axis, and any other length is not.
    pub fn input_shape(mut self, input: &str, shape: &[usize]) -> Self {
        self.shapes.insert(input.into(), shape.to_vec());
        self
    }

    /// Fixes an input, so that it does not come with every item: sizes, axes, thresholds.
    pub fn bind(mut self, input: &str, values: impl Into<Constant>) -> Self {
        self.bound.insert(input.into(), values.into());
        self
    }

    /// The program for this device.
    ///
    /// What depends on constants only is computed here; batch normalisation, activations and residual
    /// additions go into the convolutions before them.
    ///
    /// # Errors
    /// If a setting names nothing of the model, a shape is not known, or an operator or one of its
    /// attributes is not supported; all such operators of the model are named at once.
    pub fn program(&self, gpu: &Gpu) -> Result<Program, Error> {
        self.build(gpu).map_err(|cause| setting("onnx::Model::program", &cause))
    }

    fn build(&self, gpu: &Gpu) -> Result<Program, Cause> {
        let (graph, budget) = self.simplified()?;
        let items = Items::new(&graph.inputs, &self.dims, &self.shapes)?;
        build::program(gpu, &graph, &items, budget)
    }

    /// The network as a part of a program, where it reads the tensors of these names and shapes; see
    /// [`Program::add_onnx`].
    pub(super) fn part(
        &self,
        program: Program,
        given: &HashMap<&str, (TensorId, Vec<usize>)>,
    ) -> Result<(Program, Vec<(String, TensorId)>), Cause> {
        let (graph, budget) = self.simplified()?;
        let shapes = given.iter().map(|(name, (_, shape))| (*name, &shape[..])).collect();
        let shapes = items::given(&graph.inputs, (&self.dims, &self.shapes), &shapes)?;
        let items = Items::new(&graph.inputs, &self.dims, &shapes)?;
        let inputs: Vec<TensorId> = graph.inputs.iter().map(|input| given[input.name.as_str()].0).collect();
        build::part(program, &graph, (&items, &inputs), budget)
    }

    /// The graph with what is bound, checked, folded and fused.
    fn simplified(&self) -> Result<(Graph, Budget), Cause> {
        let mut graph = self.graph.clone();
        self.bind_inputs(&mut graph)?;
        graph.keep_what_is_read();
        ops::check(&graph)?;
        let mut budget = Budget::new(graph.constants.values().map(|tensor| tensor.len()).sum());
        fold::constants(&mut graph, &mut budget)?;
        fuse::fuse(&mut graph, &mut budget);
        graph.keep_what_is_read();
        Ok((graph, budget))
    }

    /// Makes constants of the inputs that are bound.
    fn bind_inputs(&self, graph: &mut Graph) -> Result<(), Cause> {
        let named = self.bound.keys().chain(self.shapes.keys());
        let is_input = |name: &&String| graph.inputs.iter().any(|input| input.name == **name);
        if let Some(name) = { named }.find(|name| !is_input(name)) {
            return Err(Cause::msg(format!("there is no input called {name:?}")));
        }
        for (name, Constant(tensor)) in &self.bound {
            let input = graph.inputs.iter().find(|input| input.name == *name);
            if let Some(input) = input.filter(|input| input.kind != tensor.kind()) {
                let (wanted, given) = (kind_name(input.kind), kind_name(tensor.kind()));
                return Err(Cause::msg(format!("the input {name:?} takes {wanted}, and {given} were bound")));
            }
            graph.constants.insert(name.clone(), Arc::new(tensor.clone()));
        }
        graph.inputs.retain(|input| !self.bound.contains_key(&input.name));
        self.check_symbols()
    }

    fn check_symbols(&self) -> Result<(), Cause> {
        let is_used = |symbol: &&String| {
            let mut axes = self.graph.inputs.iter().flat_map(|input| &input.dims);
            axes.any(|axis| *axis == Dim::Symbol((*symbol).clone()))
        };
        match self.dims.keys().find(|symbol| !is_used(symbol)) {
            Some(symbol) => Err(Cause::msg(format!("no input has an axis called {symbol:?}"))),
            None => Ok(()),
        }
    }
}

impl Program {
    /// The network of an ONNX file, for this device. Where inputs or axes have to be fixed, start from
    /// [`Model`], which also says what an item is; [`add_onnx`](Self::add_onnx) puts a network between kernels of
    /// your own.
    ///
    /// ```
    /// use gapless::{Gpu, Program};
    /// # if !std::path::Path::new("models/efficientnet-lite0.onnx").exists() { return Ok(()) }
    /// let program = Program::onnx(&Gpu::cpu(), "models/efficientnet-lite0.onnx")?; // of the repository
    /// println!("{}", program.plan(16)?);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the file cannot be read, or uses what is not supported; the error says all of it.
    pub fn onnx(gpu: &Gpu, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Model::read(path)?
            .build(gpu)
            .map_err(|cause| setting("Program::onnx", &cause.context(file::name(path))))
    }
}

pub(super) fn setting(name: &'static str, cause: &Cause) -> Error {
    Error::Setting { name, reason: cause.to_string() }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Float => "floats",
        Kind::Int => "whole numbers",
        Kind::Bool => "flags",
    }
}
