//! Whether a device gives what the twins give: the plainest shader of each kernel, once a device, on a small shape.
//!
//! All other ways to do a step are compared with the plainest one, which so has to be right by itself.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use ndarray::{ArrayD, IxDyn};

use super::alone::Ready;
use super::bytes;
use super::choices::Choices;
use super::compile::Pipelines;
use super::device::Device;
use super::near;
use crate::error::Cause;
use crate::gpu::Limits;
use crate::gpu::item::RowMajor;
use crate::gpu::plan::{Fnv, Plan};
use crate::kernel::examples::{self, Example};
use crate::kernel::{Dispatch, Element, Epilogue, Spec, Values, ValuesMut, keeps_to_its_shapes};
use crate::stage::StageError;

/// Proves every kernel of a plan that was not proven on this device. One of a user's own has no example, and its twin
/// is the user's to compare.
pub(super) fn prove(
    device: &Device,
    plan: &Plan,
    limits: &Limits,
    choices: &Choices,
    pipelines: &mut Pipelines<'_>,
) -> Result<(), StageError> {
    let plainest =
        plan.steps.iter().filter_map(|step| step.variants.first()).map(|variant| &variant.dispatch.kernel);
    let mut left: BTreeSet<&Cow<'static, str>> =
        plainest.filter(|kernel| !choices.is_proven(key(kernel))).collect();
    if left.is_empty() {
        return Ok(());
    }
    for example in examples::all() {
        let inputs: Vec<&Spec> = example.inputs.iter().collect();
        let output = example.kernel.output(&inputs).map_err(StageError::Batch)?;
        let plainest = example.kernel.variants(&inputs, &output).swap_remove(0);
        // What twins get widened is tried by what reads floats.
        let widened = inputs.iter().any(|input| matches!(input.element, Element::F16 | Element::I8));
        if !widened && limits.meet(&plainest) && left.remove(&plainest.kernel) {
            let kernel = key(&plainest.kernel);
            compare(device, &example, plainest, &output, pipelines)?;
            choices.prove(kernel);
        }
    }
    choices.keep();
    Ok(())
}

fn key(kernel: &str) -> u64 {
    let mut hasher = Fnv::default();
    kernel.hash(&mut hasher);
    hasher.finish()
}

fn compare(
    device: &Device,
    example: &Example,
    plainest: Dispatch,
    output: &Spec,
    pipelines: &mut Pipelines<'_>,
) -> Result<(), StageError> {
    let made: Vec<RowMajor<'_>> =
        example.inputs.iter().enumerate().map(|(place, spec)| made_up(example, place, spec)).collect();
    let wanted = twin(example, &made, output);
    let given = on_device(device, example, plainest, &made, output, pipelines)?;
    match near::off(&wanted, &given, output.element, Default::default()) {
        None => Ok(()),
        Some(how) => Err(StageError::Batch(Cause::msg(format!(
            "the kernel {} is not what it should be on this device, so nothing that it computes can be trusted: {how}; \
             another driver may help, and Gpu::cpu() (the twins) computes without it",
            example.kernel.name()
        )))),
    }
}

/// Values without a pattern: floats from -1 to 1, whole numbers that are places of nearly everything, any bytes.
fn made_up(example: &Example, place: usize, spec: &Spec) -> RowMajor<'static> {
    if let Some((_, values)) = example.values.as_ref().filter(|(input, _)| *input == place) {
        return RowMajor::F32(values.clone().into());
    }
    let word = |index: usize| {
        let mut hasher = Fnv::default();
        (place, index).hash(&mut hasher);
        (hasher.finish() >> 32) as u32
    };
    let shape = IxDyn(&spec.shape);
    let numbers = (0..spec.len()).map(word);
    const FITS: &str = "there are as many values as the shape has";
    match spec.element {
        Element::U8 => {
            let values = numbers.map(|word| word as u8).collect();
            RowMajor::U8(ArrayD::from_shape_vec(shape, values).expect(FITS).into())
        }
        Element::I32 => {
            let values = numbers.map(|word| (word % 4) as i32).collect();
            RowMajor::I32(ArrayD::from_shape_vec(shape, values).expect(FITS).into())
        }
        Element::F32 | Element::F16 | Element::I8 => {
            let values = numbers.map(|word| (word >> 8) as f32 / 8_388_608.0 - 1.0).collect();
            RowMajor::F32(ArrayD::from_shape_vec(shape, values).expect(FITS).into())
        }
    }
}

fn twin(example: &Example, made: &[RowMajor<'_>], output: &Spec) -> Vec<u32> {
    let inputs: Vec<Values<'_>> = made.iter().map(RowMajor::values).collect();
    let mut memory = vec![f32::NAN; output.len()];
    example.kernel.twin(&inputs, ValuesMut::of(output.element, &output.shape, &mut memory));
    memory.into_iter().map(f32::to_bits).collect()
}

fn on_device(
    device: &Device,
    example: &Example,
    plainest: Dispatch,
    made: &[RowMajor<'_>],
    output: &Spec,
    pipelines: &mut Pipelines<'_>,
) -> Result<Vec<u32>, StageError> {
    use wgpu::BufferUsages as Usage;
    let inputs: Vec<&Spec> = example.inputs.iter().collect();
    let dispatch = plainest.written(&inputs, output, &Epilogue::default());
    let pipeline = pipelines.pipeline(&dispatch, inputs.len(), keeps_to_its_shapes(&*example.kernel))?;
    let layout = pipelines.layout(inputs.len());
    let bytes = output.item_bytes() as u64;
    let (proof, both) = ("gapless.proof", Usage::STORAGE | Usage::COPY_SRC);
    let (bind, written, readback) = device.caught(|| {
        let mut params = dispatch.params.clone();
        params.resize(params.len().max(1).next_multiple_of(16), 0);
        let params = device.filled("gapless.params", &params, Usage::UNIFORM);
        let read = made.iter().map(|values| device.filled(proof, bytes::of_item(values), Usage::STORAGE));
        let read: Vec<wgpu::Buffer> = read.collect();
        let written = device.buffer(proof, bytes, both, false);
        let buffers = [&params].into_iter().chain(&read).chain([&written]);
        let bind = device.bind(proof, &layout, buffers.map(wgpu::Buffer::as_entire_binding));
        (bind, written, device.buffer(proof, bytes, Usage::MAP_READ | Usage::COPY_DST, false))
    })?;
    let [x, y] = dispatch.workgroups;
    let ready = Ready { pipeline: &pipeline, bind: &bind, workgroups: [x, y, 1] };
    device.words((&written, &readback), bytes, |encoder| ready.run_alone(encoder))
}
