//! What tests of kernels share: numbers, twins called by hand, and the comparison of device and twin.

use std::time::Duration;

use gapless::gpu::TensorId;
use gapless::kernel::{Clip, Kernel, Spec, Values};
use gapless::{Gpu, GpuStage, Program, Tensors};
use ndarray::{ArrayD, Axis, IxDyn};

/// Device and twin may differ by this share of the largest value: sums are in another order.
const TOLERANCE: f32 = 1e-5;

/// Numbers between two and minus two without a pattern, the same in every run (xorshift).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
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

    /// From `low` to `high`, both included.
    pub(crate) fn signed(&mut self, low: i64, high: i64) -> i64 {
        low + self.pick(0, (high - low) as usize) as i64
    }

    pub(crate) fn picks<const N: usize>(&mut self, low: usize, high: usize) -> [usize; N] {
        [0; N].map(|_| self.pick(low, high))
    }

    /// Some axes of some length.
    pub(crate) fn shape(&mut self, axes: [usize; 2], longest: usize) -> Vec<usize> {
        let axes = self.pick(axes[0], axes[1]);
        (0..axes).map(|_| self.pick(1, longest)).collect()
    }

    pub(crate) fn floats(&mut self, shape: &[usize]) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || (self.next() >> 40) as f32 / (1 << 22) as f32 - 2.0)
    }

    /// Whole numbers from `low` to `high`, both included.
    pub(crate) fn wholes(&mut self, shape: &[usize], low: i64, high: i64) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || self.signed(low, high) as f32)
    }

    /// Every number below `count` once.
    pub(crate) fn permutation(&mut self, count: usize) -> Vec<usize> {
        let mut perm: Vec<usize> = (0..count).collect();
        (1..count).for_each(|place| perm.swap(place, self.pick(0, place)));
        perm
    }
}

/// Calls `one` for some cases, each with numbers of its own.
pub(crate) fn cases(count: u64, mut one: impl FnMut(&mut Numbers)) {
    for case in 1..=count {
        let mut numbers = Numbers(case * 0x9e37_79b9_7f4a_7c15);
        (0..8).for_each(|_| _ = numbers.next());
        one(&mut numbers);
    }
}

/// What the twin gives where the first input is an activation and the others are constants.
pub(crate) fn twin(kernel: &impl Kernel, inputs: &[&ArrayD<f32>]) -> ArrayD<f32> {
    let spec = |(index, input): (usize, &&ArrayD<f32>)| match index {
        0 => Spec::floats(input.shape()),
        _ => Spec::constant(input.shape()),
    };
    let specs: Vec<Spec> = inputs.iter().enumerate().map(spec).collect();
    let output = kernel.output(&specs.iter().collect::<Vec<_>>()).unwrap();
    // What lay there before must not matter.
    let mut values = ArrayD::from_elem(IxDyn(&output.shape), f32::NAN);
    let inputs: Vec<_> = inputs.iter().map(|input| Values::F32(input.view())).collect();
    kernel.twin(&inputs, values.view_mut());
    values
}

pub(crate) fn filled(shape: &[usize], values: &[f32]) -> ArrayD<f32> {
    ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap()
}

/// Compares values that may be NaN, at the same places.
pub(crate) fn assert_near(device: &ArrayD<f32>, twin: &ArrayD<f32>, what: &str) {
    assert_eq!(device.shape(), twin.shape(), "{what}");
    let largest = twin.iter().filter(|value| value.is_finite()).fold(0.0_f32, |a, b| a.max(b.abs()));
    for (index, (a, b)) in device.iter().zip(twin).enumerate() {
        let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * largest;
        assert!(same, "{what}: {a} is not {b} at {index} of {:?}", twin.shape());
    }
}

#[track_caller]
pub(crate) fn refused(kernel: &dyn Kernel, inputs: &[Spec], reason: &str) {
    let error = kernel.output(&inputs.iter().collect::<Vec<_>>()).unwrap_err().to_string();
    assert_eq!(error, reason);
}

/// An input of the kernel that is compared.
pub(crate) enum Input {
    /// The item of the batch.
    X,
    /// The item kept from -1 to 1: an activation of its own.
    Clipped,
    Constant(ArrayD<f32>),
}

fn run(net: &mut Program, batch: &[ArrayD<f32>]) -> Tensors {
    let mut ticket = GpuStage::<ArrayD<f32>>::submit(net, batch).unwrap();
    let minute = Duration::from_secs(60);
    let result = GpuStage::<ArrayD<f32>>::try_collect(net, &mut ticket, minute).unwrap();
    result.expect("a batch is done within a minute")
}

/// Runs one kernel on device and twin; then every item alone, and compares bit by bit.
pub(crate) fn check(gpu: &Gpu, kernel: impl Kernel, inputs: Vec<Input>, batch: &[ArrayD<f32>]) {
    let what = format!("{kernel:?} of {:?}", batch[0].shape());
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(batch[0].shape())).unwrap();
    let tensor = |(index, input)| match input {
        Input::X => x,
        Input::Clipped => net.add(Clip::new(-1.0, 1.0), &[x]).unwrap(),
        Input::Constant(values) => net.constant(&format!("constant {index}"), values).unwrap(),
    };
    let inputs: Vec<TensorId> = inputs.into_iter().enumerate().map(tensor).collect();
    let y = net.add(kernel, &inputs).unwrap();
    net.output("y", y).unwrap();
    let mut twin = net.on(&Gpu::cpu());
    GpuStage::<ArrayD<f32>>::open(&mut net, batch.len()).unwrap();
    GpuStage::<ArrayD<f32>>::open(&mut twin, batch.len()).unwrap();
    let together = run(&mut net, batch);
    assert_near(&together["y"], &run(&mut twin, batch)["y"], &what);
    let bits = |values: &ArrayD<f32>, row: usize| {
        values.index_axis(Axis(0), row).iter().map(|v| v.to_bits()).collect::<Vec<_>>()
    };
    for (row, item) in batch.iter().enumerate() {
        let alone = run(&mut net, std::slice::from_ref(item));
        assert_eq!(
            bits(&alone["y"], 0),
            bits(&together["y"], row),
            "{what}: item {row} depends on its batch"
        );
    }
}

/// One to four items of random floats, each the first input of the kernel.
pub(crate) fn check_floats(
    gpu: &Gpu,
    kernel: impl Kernel,
    shape: &[usize],
    others: Vec<Input>,
    n: &mut Numbers,
) {
    let batch: Vec<_> = (0..n.pick(1, 4)).map(|_| n.floats(shape)).collect();
    let inputs = std::iter::once(Input::X).chain(others).collect();
    check(gpu, kernel, inputs, &batch);
}
