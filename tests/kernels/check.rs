//! Checks that kernels share: a twin called by hand, a kernel on a device against its twin, a refusal.

use std::time::Duration;

use gapless::gpu::{Item, TensorId};
use gapless::kernel::{Kernel, Spec, Unary, Values, ValuesMut};
use gapless::{DeviceKind, Gpu, GpuStage, Program, Tensors};
use ndarray::{ArrayD, Axis, IxDyn};

use crate::common::device;
use crate::near::{Near, SUMS, assert_near};
use crate::numbers::{Numbers, cases};

/// What the twin gives where the first input is an activation and the others are constants.
pub(crate) fn twin(kernel: &impl Kernel, inputs: &[&ArrayD<f32>]) -> ArrayD<f32> {
    let batched: Vec<bool> = (0..inputs.len()).map(|index| index == 0).collect();
    twin_of(kernel, inputs, &batched)
}

/// What the twin gives; `batched` says which inputs are activations.
pub(crate) fn twin_of(kernel: &impl Kernel, inputs: &[&ArrayD<f32>], batched: &[bool]) -> ArrayD<f32> {
    let spec = |(input, &batched): (&&ArrayD<f32>, &bool)| Spec { batched, ..Spec::floats(input.shape()) };
    let specs: Vec<Spec> = inputs.iter().zip(batched).map(spec).collect();
    let output = kernel.output(&specs.iter().collect::<Vec<_>>()).unwrap();
    let inputs: Vec<_> = inputs.iter().map(|input| Values::F32(input.view())).collect();
    let [values, others] = [f32::NAN, -7777.0].map(|before| {
        let mut values = ArrayD::from_elem(IxDyn(&output.shape), before);
        kernel.twin(&inputs, ValuesMut::F32(values.view_mut()));
        values
    });
    let same = values.iter().zip(&others).all(|(one, other)| one.to_bits() == other.to_bits());
    assert!(same, "{kernel:?} depends on what lay in its output before");
    values
}

#[track_caller]
pub(crate) fn refused(kernel: &dyn Kernel, inputs: &[Spec], reason: &str) {
    let error = kernel.output(&inputs.iter().collect::<Vec<_>>()).unwrap_err().to_string();
    assert_eq!(error, reason);
}

/// An input of the kernel that is compared.
#[derive(Clone)]
pub(crate) enum Input {
    /// One tensor an item; all items of a batch. All such inputs of a kernel have as many.
    Items(Vec<ArrayD<f32>>),
    /// The tensor of the first such input once more.
    Again,
    /// The same kept from -1 to 1: what another kernel gave.
    Clipped,
    /// One tensor in all.
    Constant(ArrayD<f32>),
}

impl Input {
    /// `None` for what is made of another input.
    fn shape(&self) -> Option<&[usize]> {
        match self {
            Self::Items(items) => Some(items[0].shape()),
            Self::Constant(values) => Some(values.shape()),
            Self::Again | Self::Clipped => None,
        }
    }
}

/// One item.
pub(crate) fn item(values: ArrayD<f32>) -> Input {
    Input::Items(vec![values])
}

/// The items of every input that has some.
fn activations(inputs: &[Input]) -> impl Iterator<Item = &Vec<ArrayD<f32>>> {
    inputs.iter().filter_map(|input| if let Input::Items(items) = input { Some(items) } else { None })
}

/// A program of one kernel.
pub(crate) fn program(gpu: &Gpu, kernel: impl Kernel, inputs: &[Input]) -> Program {
    let mut net = Program::new(gpu);
    let activations: Vec<TensorId> = activations(inputs)
        .enumerate()
        .map(|(index, items)| net.input(&format!("x{index}"), Spec::floats(items[0].shape())).unwrap())
        .collect();
    let mut next = activations.iter();
    let tensor = |(index, input): (usize, &Input)| match input {
        Input::Items(_) => *next.next().expect("there is one for each"),
        Input::Again => activations[0],
        Input::Clipped => net.add(Unary::clip(-1.0, 1.0), &activations[..1]).unwrap(),
        Input::Constant(values) => net.constant(&format!("constant {index}"), values.clone()).unwrap(),
    };
    let tensors: Vec<TensorId> = inputs.iter().enumerate().map(tensor).collect();
    let y = net.add(kernel, &tensors).unwrap();
    net.output("y", y).unwrap();
    net
}

/// The device of the tests, unless it is the twins: they run no shader, and so no variant.
pub(crate) fn device_with_shaders() -> Option<Gpu> {
    let gpu = device()?;
    if gpu.info().kind == DeviceKind::Twin {
        eprintln!("left out: the twins run no shader");
        return None;
    }
    Some(gpu)
}

pub(crate) fn open<I: Item>(net: &mut Program, max_batch: usize) {
    GpuStage::<I>::open(net, max_batch).unwrap();
}

/// Runs a batch through a program that is open.
pub(crate) fn run<I: Item>(net: &mut Program, batch: &[I]) -> Tensors {
    let mut ticket = net.submit(batch).unwrap();
    let minute = Duration::from_secs(60);
    GpuStage::<I>::try_collect(net, &mut ticket, minute).unwrap().expect("a batch is done within a minute")
}

/// What a program that is not yet open gives for a batch.
pub(crate) fn output<I: Item>(net: &mut Program, batch: &[I]) -> ArrayD<f32> {
    open::<I>(net, batch.len());
    run(net, batch)["y"].clone()
}

/// Compares what a program gives for a batch, and that every item alone gives the same bit by bit.
#[track_caller]
pub(crate) fn compare<I: Item>(net: &mut Program, batch: &[I], wanted: &ArrayD<f32>, near: Near, what: &str) {
    let together = output(net, batch);
    assert_near(&together, wanted, near, what);
    let bits = |values: &ArrayD<f32>, row: usize| -> Vec<u32> {
        values.index_axis(Axis(0), row).iter().map(|value| value.to_bits()).collect()
    };
    for (row, item) in batch.iter().enumerate() {
        let alone = run(net, std::slice::from_ref(item));
        assert_eq!(bits(&alone["y"], 0), bits(&together, row), "{what}: item {row} depends on its batch");
    }
}

/// Compares a kernel on a device with its twin.
#[track_caller]
pub(crate) fn check(gpu: &Gpu, kernel: impl Kernel, inputs: &[Input], near: Near) {
    let shapes: Vec<_> = inputs.iter().map(Input::shape).collect();
    let what = format!("{kernel:?} of {shapes:?}");
    let rows = activations(inputs).map(Vec::len).min().expect("a kernel has an activation");
    let item = |row: usize| activations(inputs).map(|items| items[row].clone()).collect::<Vec<_>>();
    let batch: Vec<Vec<ArrayD<f32>>> = (0..rows).map(item).collect();
    let mut net = program(gpu, kernel, inputs);
    let wanted = output(&mut net.on(&Gpu::cpu()), &batch);
    compare(&mut net, &batch, &wanted, near, &what);
}

/// Compares a kernel whose first input are some items of random floats, and whose result is made of sums.
#[track_caller]
pub(crate) fn check_floats(
    gpu: &Gpu,
    kernel: impl Kernel,
    shape: &[usize],
    others: &[Input],
    n: &mut Numbers,
) {
    check(gpu, kernel, &[&[n.items(shape)], others].concat(), SUMS);
}

/// Calls `one` for some cases on the device, each with numbers of its own: for one in so many of them, but two at least,
/// as `GAPLESS_CASES` says where they run once more on another driver.
pub(crate) fn cases_on_device(count: u64, one: impl Fn(&Gpu, &mut Numbers)) {
    let Some(gpu) = device() else { return };
    let share = std::env::var("GAPLESS_CASES");
    let share = share.map_or(1, |share| share.parse().expect("GAPLESS_CASES is a number"));
    cases((count / share).max(count.min(2)), |n| one(&gpu, n));
}
