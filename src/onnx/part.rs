//! A network as a part of a program: kernels stand before and behind it.

use std::collections::HashMap;
use std::ops::Index;

use super::model::{Model, setting};
use crate::error::{Cause, Error};
use crate::gpu::{Program, TensorId};
use crate::kernel::{Element, Spec};

/// The tensors that a network gives in a program, by the names that its model has for them.
/// [`Program::add_onnx`] gives them.
#[derive(Clone, Debug)]
pub struct Outputs(Vec<(String, TensorId)>);

impl Outputs {
    /// The tensor of this name, if the model has such an output.
    pub fn get(&self, name: &str) -> Option<TensorId> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, id)| *id)
    }

    /// Names and tensors, in the order of the model.
    pub fn iter(&self) -> impl Iterator<Item = (&str, TensorId)> {
        self.0.iter().map(|(name, id)| (&name[..], *id))
    }
}

/// # Panics
/// If the model has no output of this name; [`Outputs::get`] does not.
impl Index<&str> for Outputs {
    type Output = TensorId;

    fn index(&self, name: &str) -> &TensorId {
        let found = self.0.iter().find(|(other, _)| other == name);
        let names = || self.0.iter().map(|(name, _)| name).collect::<Vec<_>>();
        &found.unwrap_or_else(|| panic!("no output is called {name:?}; there is {:?}", names())).1
    }
}

impl Program {
    /// Adds a network to this program, where its inputs are tensors of the program: kernels can stand before and
    /// behind it, and several networks in one program.
    ///
    /// `inputs` names each input of the model that is not bound, and the tensor that it is: floats of the shape of an
    /// item, with or without the axis of the batch. An axis that the model leaves open has the length that the tensor
    /// has. What the network gives is an output of the program only where [`output`](Self::output) makes it one: all
    /// else is not read back, and what nothing needs is not computed.
    ///
    /// ```
    /// use gapless::kernel::{Normalize, Spec, TopK};
    /// use gapless::onnx::Model;
    /// use gapless::{Gpu, Program};
    ///
    /// let model = Model::read("models/efficientnet-lite0.onnx")?;
    /// let mut net = Program::new(&Gpu::cpu());
    /// let photo = net.input("photo", Spec::bytes(&[224, 224, 3]))?;
    /// let planes = net.add(Normalize::new([127.0; 3], [128.0; 3]), &[photo])?;
    /// let given = net.add_onnx(&model, &[("input", planes)])?;
    /// let best = net.add(TopK::indices(0, 5), &[given["prob"]])?;
    /// net.output("best", best)?; // 20 bytes a photo come back, and no embedding
    /// # assert_eq!(net.outputs().collect::<Vec<_>>(), [("best", &Spec::floats(&[5]))]);
    /// # net.plan(16)?;
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// If an input is missing, unknown or named twice, if a tensor does not fit, and whatever
    /// [`Model::program`] refuses. The program is then what it was.
    pub fn add_onnx(&mut self, model: &Model, inputs: &[(&str, TensorId)]) -> Result<Outputs, Error> {
        let added = self.tensors_by_name(model, inputs).and_then(|given| model.part(self.clone(), &given));
        let (program, outputs) = added.map_err(|cause| setting("Program::add_onnx", &cause))?;
        *self = program;
        Ok(Outputs(outputs))
    }

    /// The tensors for the inputs of a model, and the shapes of their items.
    fn tensors_by_name<'a>(
        &self,
        model: &Model,
        inputs: &[(&'a str, TensorId)],
    ) -> Result<HashMap<&'a str, (TensorId, Vec<usize>)>, Cause> {
        let mut given = HashMap::new();
        for &(name, id) in inputs {
            if !model.inputs().any(|input| input.name == name) {
                let names: Vec<&str> = model.inputs().map(|input| &input.name[..]).collect();
                return Err(Cause::msg(format!("it has no input called {name:?}; it has {names:?}")));
            }
            let shape = self.item_shape(id).map_err(|cause| cause.context(format!("input {name:?}")))?;
            if given.insert(name, (id, shape)).is_some() {
                return Err(Cause::msg(format!("its input {name:?} is given twice")));
            }
        }
        Ok(given)
    }

    /// The shape of an item of a tensor that a network can read.
    fn item_shape(&self, id: TensorId) -> Result<Vec<usize>, Cause> {
        match self.spec(id) {
            Some(Spec { element: Element::F32 | Element::I32, shape, batched: true }) => Ok(shape.clone()),
            Some(Spec { batched: false, .. }) => {
                Err(Cause::msg("a constant is given: onnx::Model::bind makes the input one"))
            }
            Some(_) => Err(Cause::msg("bytes are given: kernel::Normalize makes floats of pixels")),
            None => Err(Cause::msg("a tensor of another program is given")),
        }
    }
}
