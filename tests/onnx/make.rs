//! Makes small models, and runs them on the twins.

use std::time::Duration;

use gapless::gpu::PlannedKernel;
use gapless::onnx::Model;
use gapless::onnx::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use gapless::{Error, Gpu, GpuStage, Program, Tensors};
use ndarray::{ArrayD, IxDyn};
use prost::Message;

/// The parts of a model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) opset: i64,
    pub(crate) inputs: Vec<ValueInfoProto>,
    pub(crate) constants: Vec<TensorProto>,
    pub(crate) nodes: Vec<NodeProto>,
    pub(crate) outputs: Vec<String>,
}

impl Parts {
    pub(crate) fn new(opset: i64) -> Self {
        Self { opset, ..Self::default() }
    }

    /// An input of floats; an axis is a number or a name, as in `"n 3 8 8"`.
    pub(crate) fn input(mut self, name: &str, axes: &str) -> Self {
        self.inputs.push(input(name, axes, 1));
        self
    }

    pub(crate) fn constant(mut self, name: &str, values: &ArrayD<f32>) -> Self {
        self.constants.push(floats(name, values));
        self
    }

    pub(crate) fn ints(mut self, name: &str, values: &[i64]) -> Self {
        self.constants.push(ints(name, values));
        self
    }

    /// A node as it is written: `"Add a b -> c"`, `_` for an input that is left out.
    pub(crate) fn node(mut self, text: &str, attributes: Vec<AttributeProto>) -> Self {
        self.nodes.push(NodeProto { attribute: attributes, ..node(text) });
        self
    }

    pub(crate) fn output(mut self, name: &str) -> Self {
        self.outputs.push(name.into());
        self
    }

    pub(crate) fn proto(&self) -> ModelProto {
        let output = |name: &String| ValueInfoProto { name: Some(name.clone()), r#type: None };
        let graph = GraphProto {
            node: self.nodes.clone(),
            name: Some("made".into()),
            initializer: self.constants.clone(),
            input: self.inputs.clone(),
            output: self.outputs.iter().map(output).collect(),
        };
        let opset = OperatorSetIdProto { domain: None, version: Some(self.opset) };
        ModelProto {
            ir_version: Some(8),
            graph: Some(graph),
            opset_import: vec![opset],
            ..Default::default()
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.proto().encode_to_vec()
    }

    pub(crate) fn model(&self) -> Model {
        Model::from_bytes(&self.bytes()).unwrap()
    }

    pub(crate) fn program(&self) -> Program {
        self.model().program(&Gpu::cpu()).unwrap()
    }

    /// Why it becomes no program.
    pub(crate) fn refused(&self) -> String {
        let program = Model::from_bytes(&self.bytes()).and_then(|model| model.program(&Gpu::cpu()));
        match program {
            Err(Error::Setting { reason, .. }) => reason,
            other => panic!("it is not refused: {other:?}"),
        }
    }

    /// The same model, with the value after every node as an output, so that nothing can be fused.
    pub(crate) fn apart(&self) -> Self {
        let mut parts = self.clone();
        for name in self.nodes.iter().flat_map(|node| &node.output) {
            if !name.is_empty() && !parts.outputs.contains(name) {
                parts.outputs.push(name.clone());
            }
        }
        parts
    }

    /// What the twins give for one item.
    pub(crate) fn run(&self, item: &[ArrayD<f32>]) -> Tensors {
        run(&mut self.program(), &[item.to_vec()])
    }

    /// The kernels of the program, in order, without their numbers and with what follows in the same pass:
    /// `conv2d+add+relu`.
    pub(crate) fn kernels(&self) -> Vec<String> {
        let plan = self.program().plan(1).unwrap();
        let name = |kernel: PlannedKernel<'_>| {
            let name = kernel.name.split('.').next().unwrap_or_default();
            [name].into_iter().chain(kernel.then.split_terminator(", ")).collect::<Vec<_>>().join("+")
        };
        plan.kernels().map(name).collect()
    }
}

pub(crate) fn run(program: &mut Program, batch: &[Vec<ArrayD<f32>>]) -> Tensors {
    GpuStage::<Vec<ArrayD<f32>>>::open(program, batch.len()).unwrap();
    let mut ticket = program.submit(batch).unwrap();
    GpuStage::<Vec<ArrayD<f32>>>::try_collect(program, &mut ticket, Duration::from_secs(60)).unwrap().unwrap()
}

/// An output, whole numbers as the nearest floats and none as NaN.
pub(crate) fn as_floats(tensors: &Tensors, name: &str) -> ArrayD<f32> {
    let float = |&value: &i32| if value == i32::MIN { f32::NAN } else { value as f32 };
    tensors.ints(name).map_or_else(|| tensors[name].clone(), |ints| ints.map(float))
}

pub(crate) fn node(text: &str) -> NodeProto {
    let (left, outputs) = text.split_once("->").expect("an arrow");
    let mut words = left.split_whitespace();
    let name = |word: &str| if word == "_" { String::new() } else { word.to_owned() };
    NodeProto {
        op_type: words.next().map(Into::into),
        input: words.map(name).collect(),
        output: outputs.split_whitespace().map(name).collect(),
        ..NodeProto::default()
    }
}

pub(crate) fn input(name: &str, axes: &str, elements: i32) -> ValueInfoProto {
    let axis = |word: &str| match word.parse() {
        Ok(length) => DimensionProto { dim_value: Some(length), dim_param: None },
        Err(_) => DimensionProto { dim_value: None, dim_param: Some(word.into()) },
    };
    let shape = TensorShapeProto { dim: axes.split_whitespace().map(axis).collect() };
    let tensor = TensorTypeProto { elem_type: Some(elements), shape: Some(shape) };
    ValueInfoProto { name: Some(name.into()), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}

pub(crate) fn floats(name: &str, values: &ArrayD<f32>) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: values.shape().iter().map(|&axis| axis as i64).collect(),
        data_type: Some(1),
        raw_data: Some(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
        ..TensorProto::default()
    }
}

pub(crate) fn ints(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: vec![values.len() as i64],
        data_type: Some(7),
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: Some(name.into()), i: Some(value), kind: Some(2), ..AttributeProto::default() }
}

pub(crate) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { name: Some(name.into()), f: Some(value), kind: Some(1), ..AttributeProto::default() }
}

pub(crate) fn list(name: &str, values: &[i64]) -> AttributeProto {
    let ints = values.to_vec();
    AttributeProto { name: Some(name.into()), ints, kind: Some(7), ..AttributeProto::default() }
}

pub(crate) fn text(name: &str, value: &str) -> AttributeProto {
    let s = Some(value.as_bytes().to_vec());
    AttributeProto { name: Some(name.into()), s, kind: Some(3), ..AttributeProto::default() }
}

/// Values between -2 and 2 that look random and are the same every time.
pub(crate) fn values(shape: &[usize], seed: u32) -> ArrayD<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 22) as f32 - 2.0
    })
}

/// The same in every value, within rounding.
pub(crate) fn assert_near(one: &ArrayD<f32>, other: &ArrayD<f32>, what: &str) {
    assert_eq!(one.shape(), other.shape(), "{what}");
    for (place, (one, other)) in one.iter().zip(other).enumerate() {
        let tolerance = 1e-4 * (1.0 + other.abs());
        assert!((one - other).abs() <= tolerance, "{what}[{place}]: {one} and {other}");
    }
}
