//! A model as it was read, with what the caller fixes before it becomes a program.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use ndarray::{Array, Dimension};
use prost::Message;

use super::build;
use super::constants;
use super::fold::Budget;
use super::fuse;
use super::graph::{Dim, Graph, Input};
use super::items::{self, Items, Said};
use super::layout::BatchLayout;
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
/// [`Program::onnx`] is the short form where nothing has to be fixed. A model is run on every item independently. The
/// axis of the batch is the one whose name speaks of a batch, wherever it stands, else the first where the file leaves
/// its length open, else a first axis of 1 in every input; an item has the shape without it. An input that has no such
/// axis is whole in every item. Inputs of whole numbers or flags are floats here that are whole numbers.
///
/// The items are followed through the network: where a node would let one see another (a softmax or a mean over the
/// axis, a convolution along it, its length as a number), the model is refused, and [`dim`](Self::dim),
/// [`batch`](Self::batch) or [`batch_axis`](Self::batch_axis) say what the axis is.
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
    said: Said,
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
        Ok(Self { graph, said: Said::default(), bound: HashMap::new() })
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
        self.said.dims.insert(symbol.into(), length);
        self
    }

    /// The symbol of the batch: the axis of that name is the batch in every input that has one.
    ///
    /// ```no_run
    /// use gapless::onnx::Model;
    ///
    /// // Inputs are [frames, clips, 40] and [2, clips, 128]: a clip is an item.
    /// let model = Model::read("voice.onnx")?.batch("clips").dim("frames", 77);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn batch(mut self, symbol: &str) -> Self {
        self.said.batch = Some(symbol.into());
        self
    }

    /// The axis of the batch in an input; with `None` every item has the whole input.
    pub fn batch_axis(mut self, input: &str, axis: impl Into<Option<usize>>) -> Self {
        self.said.axes.insert(input.into(), axis.into());
        self
    }

    /// The whole shape of an input, whatever the file says about it.
    ///
    /// An axis of 1 can be that of the batch, as in the file, and one of any other length is not.
    pub fn input_shape(mut self, input: &str, shape: &[usize]) -> Self {
        self.said.shapes.insert(input.into(), shape.to_vec());
        self
    }

    /// The lengths that the file leaves open, from the shape of an array for this input that has any number of items.
    ///
    /// # Errors
    /// If there is no such input, or the file's shape is another.
    pub fn input_like(mut self, input: &str, array: &[usize]) -> Result<Self, Error> {
        let shape = match self.graph.inputs.iter().find(|known| known.name == input) {
            Some(known) => items::like(known, &self.said, array),
            None => Err(Cause::msg("there is no such input")),
        };
        let shape = shape.map_err(|cause| {
            setting("onnx::Model::input_like", &cause.context(format!("input {input:?}")))
        })?;
        self.said.shapes.insert(input.into(), shape);
        Ok(self)
    }

    /// The axis of an input that is taken for that of the batch, where the file leaves its length open.
    pub fn open_batch_axis(&self, input: &str) -> Option<usize> {
        items::open_axis(self.graph.inputs.iter().find(|known| known.name == input)?, &self.said)
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
        Ok(self.program_with_layout(gpu)?.0)
    }

    /// The same, with where the items stand in the arrays that the file takes and gives.
    ///
    /// # Errors
    /// As [`program`](Self::program).
    pub fn program_with_layout(&self, gpu: &Gpu) -> Result<(Program, BatchLayout), Error> {
        self.build(gpu).map_err(|cause| setting("onnx::Model::program", &cause))
    }

    fn build(&self, gpu: &Gpu) -> Result<(Program, BatchLayout), Cause> {
        let (graph, budget) = self.simplified()?;
        let items = Items::new(&graph.inputs, &self.said)?;
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
        let items = Items::new(&graph.inputs, &items::given(&graph.inputs, &self.said, &shapes)?)?;
        let inputs: Vec<TensorId> = graph.inputs.iter().map(|input| given[input.name.as_str()].0).collect();
        build::part(program, &graph, (&items, &inputs), budget)
    }

    /// The graph with what is bound, folded, checked and fused.
    fn simplified(&self) -> Result<(Graph, Budget), Cause> {
        let mut graph = self.graph.clone();
        self.bind_inputs(&mut graph)?;
        graph.keep_what_is_read();
        let mut budget = Budget::new(graph.constants.values().map(|tensor| tensor.len()).sum());
        fuse::keep_bytes(&mut graph, &mut budget)?;
        constants::compute(&mut graph, &mut budget)?;
        graph.keep_what_is_read();
        ops::check(&graph)?;
        fuse::fuse(&mut graph, &mut budget);
        graph.keep_what_is_read();
        Ok((graph, budget))
    }

    /// Makes constants of the inputs that are bound.
    fn bind_inputs(&self, graph: &mut Graph) -> Result<(), Cause> {
        let named = self.bound.keys().chain(self.said.shapes.keys()).chain(self.said.axes.keys());
        let is_input = |name: &&String| graph.inputs.iter().any(|input| input.name == **name);
        if let Some(name) = { named }.find(|name| !is_input(name)) {
            return Err(Cause::msg(format!("there is no input called {name:?}")));
        }
        for (name, Constant(tensor)) in &self.bound {
            let input = graph.inputs.iter().find(|input| input.name == *name);
            if let Some(input) =
                input.as_ref().filter(|input| kind_name(input.kind) != kind_name(tensor.kind()))
            {
                let (wanted, given) = (kind_name(input.kind), kind_name(tensor.kind()));
                return Err(Cause::msg(format!("the input {name:?} takes {wanted}, and {given} were bound")));
            }
            let kind = input.map_or(tensor.kind(), |input| input.kind);
            graph.constants.insert(name.clone(), Arc::new(tensor.clone().narrowed(kind)));
        }
        graph.inputs.retain(|input| !self.bound.contains_key(&input.name));
        self.check_symbols()
    }

    fn check_symbols(&self) -> Result<(), Cause> {
        let is_used = |symbol: &&String| {
            let mut axes = self.graph.inputs.iter().flat_map(|input| &input.dims);
            axes.any(|axis| *axis == Dim::Symbol((*symbol).clone()))
        };
        match self.said.dims.keys().chain(&self.said.batch).find(|symbol| !is_used(symbol)) {
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
            .map(|(program, _)| program)
            .map_err(|cause| setting("Program::onnx", &cause.context(file::name(path))))
    }
}

pub(super) fn setting(name: &'static str, cause: &Cause) -> Error {
    Error::Setting { name, reason: cause.to_string() }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Float => "floats",
        Kind::Int(_) => "whole numbers",
        Kind::Bool => "flags",
    }
}
