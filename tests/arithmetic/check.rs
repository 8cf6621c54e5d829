//! What the tests of this folder share: numbers, a kernel on its twin, a kernel on a device.

use std::time::Duration;

use gapless::kernel::{Kernel, Spec, Values};
use gapless::{Gpu, GpuStage, Program, Tensors};
use ndarray::{ArrayD, Axis, IxDyn};

/// An input of the kernel that is checked.
#[derive(Clone)]
pub(crate) enum Input {
    /// One tensor an item; all items of a batch. All such inputs of a kernel have as many.
    Items(Vec<ArrayD<f32>>),
    /// One tensor in all.
    Constant(ArrayD<f32>),
}

impl Input {
    fn spec(&self) -> Spec {
        match self {
            Self::Items(items) => Spec::floats(items[0].shape()),
            Self::Constant(values) => Spec::constant(values.shape()),
        }
    }

    fn of_item(&self, item: usize) -> &ArrayD<f32> {
        match self {
            Self::Items(items) => &items[item],
            Self::Constant(values) => values,
        }
    }
}

/// One item.
pub(crate) fn item(values: ArrayD<f32>) -> Input {
    Input::Items(vec![values])
}

/// Numbers between two and minus two without a pattern, the same in every run (xorshift).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        let mut numbers = Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..8).for_each(|_| _ = numbers.next());
        numbers
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From `low` to `high`, both included.
    pub(crate) fn pick(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() >> 20) as usize % (high - low + 1)
    }

    /// A shape of `low` to `high` axes of 1 to `longest`.
    pub(crate) fn shape(&mut self, [low, high]: [usize; 2], longest: usize) -> Vec<usize> {
        (0..self.pick(low, high)).map(|_| self.pick(1, longest)).collect()
    }

    pub(crate) fn floats(&mut self, shape: &[usize]) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || (self.next() >> 40) as f32 / (1 << 22) as f32 - 2.0)
    }

    /// So many items.
    pub(crate) fn batch(&mut self, count: usize, shape: &[usize]) -> Input {
        Input::Items((0..count).map(|_| self.floats(shape)).collect())
    }

    /// A batch of one to three items.
    pub(crate) fn items(&mut self, shape: &[usize]) -> Input {
        Input::Items((0..self.pick(1, 3)).map(|_| self.floats(shape)).collect())
    }
}

pub(crate) fn filled(shape: &[usize], values: &[f32]) -> ArrayD<f32> {
    ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap()
}

/// Values that functions like to get wrong.
pub(crate) fn odd_values() -> Vec<f32> {
    let (nan, inf, tiny) = (f32::NAN, f32::INFINITY, 1e-6);
    vec![
        nan, -nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, tiny, -tiny, 0.5, -0.5, 1.5, 2.5, -2.5, 100.0, -100.0,
        1e4, -1e4,
    ]
}

/// What the twin makes of the first item.
pub(crate) fn twin(kernel: &impl Kernel, inputs: &[Input]) -> ArrayD<f32> {
    let specs: Vec<Spec> = inputs.iter().map(Input::spec).collect();
    let output = kernel.output(&specs.iter().collect::<Vec<_>>()).unwrap();
    // What lay there before must not matter.
    let mut values = ArrayD::from_elem(IxDyn(&output.shape), -7777.0);
    let inputs: Vec<_> = inputs.iter().map(|input| Values::F32(input.of_item(0).view())).collect();
    kernel.twin(&inputs, values.view_mut());
    values
}

/// NaN at the same places, and values that differ by this share of themselves or of one.
#[track_caller]
pub(crate) fn assert_near(one: &ArrayD<f32>, other: &ArrayD<f32>, share: f32, what: &str) {
    assert_eq!(one.shape(), other.shape(), "{what}");
    for (index, (a, b)) in one.iter().zip(other).enumerate() {
        let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= share * b.abs().max(0.1);
        assert!(same, "{what}: {a} is not {b}, at {index} of {:?}", one.shape());
    }
}

/// Runs a batch of items, of which each has one tensor for every input of the program.
pub(crate) fn run(net: &mut Program, batch: &[Vec<ArrayD<f32>>]) -> Tensors {
    let mut ticket = GpuStage::<Vec<ArrayD<f32>>>::submit(net, batch).unwrap();
    let minute = Duration::from_secs(60);
    let result = GpuStage::<Vec<ArrayD<f32>>>::try_collect(net, &mut ticket, minute).unwrap();
    result.expect("a batch is done within a minute")
}

/// A program of one kernel.
fn program(gpu: &Gpu, kernel: impl Kernel, inputs: &[Input]) -> Program {
    let mut net = Program::new(gpu);
    let tensors: Vec<_> = (0..)
        .zip(inputs)
        .map(|(index, input)| match input {
            Input::Items(_) => net.input(&format!("input {index}"), input.spec()).unwrap(),
            Input::Constant(values) => net.constant(&format!("constant {index}"), values.clone()).unwrap(),
        })
        .collect();
    let y = net.add(kernel, &tensors).unwrap();
    net.output("y", y).unwrap();
    net
}

/// For each item its tensors, one an activation.
fn batch(inputs: &[Input]) -> Vec<Vec<ArrayD<f32>>> {
    let activations: Vec<&Vec<ArrayD<f32>>> = inputs
        .iter()
        .filter_map(|input| match input {
            Input::Items(items) => Some(items),
            Input::Constant(_) => None,
        })
        .collect();
    let item = |row: usize| activations.iter().map(|items| items[row].clone()).collect();
    (0..activations[0].len()).map(item).collect()
}

/// Runs one kernel on device and twin; then every item alone, and compares bit by bit.
pub(crate) fn on_device(gpu: &Gpu, kernel: impl Kernel, inputs: &[Input], share: f32) {
    let shapes: Vec<_> = inputs.iter().map(|input| input.spec().shape).collect();
    let what = format!("{kernel:?} of {shapes:?}");
    let batch = batch(inputs);
    let mut net = program(gpu, kernel, inputs);
    let mut twin = net.on(&Gpu::cpu());
    GpuStage::<Vec<ArrayD<f32>>>::open(&mut net, batch.len()).unwrap();
    GpuStage::<Vec<ArrayD<f32>>>::open(&mut twin, batch.len()).unwrap();
    let together = run(&mut net, &batch);
    assert_near(&together["y"].to_owned(), &run(&mut twin, &batch)["y"].to_owned(), share, &what);
    for (row, item) in batch.iter().enumerate() {
        let alone = run(&mut net, std::slice::from_ref(item));
        let bits = |values: &Tensors, row| -> Vec<u32> {
            values["y"].index_axis(Axis(0), row).iter().map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(&alone, 0), bits(&together, row), "{what}: item {row} depends on its batch");
    }
}

/// Calls `one` for some cases, each with numbers of its own.
pub(crate) fn cases(count: u64, one: impl Fn(&Gpu, &mut Numbers)) {
    let Some(gpu) = crate::common::device() else { return };
    (0..count).for_each(|case| one(&gpu, &mut Numbers::new(case)));
}
