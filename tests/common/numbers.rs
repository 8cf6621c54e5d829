//! What tests on a device share: numbers without a pattern, a batch through a program, a comparison.

use std::time::Duration;

use gapless::{Gpu, GpuStage, Program, Tensors};
use ndarray::{ArrayD, IxDyn};

/// Device and twin may differ by this share of the largest value: sums are in another order.
const TOLERANCE: f32 = 1e-5;

/// Numbers between two and minus two without a pattern, the same in every run (xorshift).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From `low` to `high`, both included.
    pub(crate) fn pick(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() >> 20) as usize % (high - low + 1)
    }

    pub(crate) fn pair(&mut self, low: usize, high: usize) -> [usize; 2] {
        [self.pick(low, high), self.pick(low, high)]
    }

    pub(crate) fn floats(&mut self, shape: &[usize]) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || (self.next() >> 40) as f32 / (1 << 22) as f32 - 2.0)
    }
}

pub(crate) fn run<T: gapless::gpu::Scalar>(net: &mut Program, batch: &[ArrayD<T>]) -> Tensors {
    let mut ticket = GpuStage::<ArrayD<T>>::submit(net, batch).unwrap();
    let minute = Duration::from_secs(60);
    let result = GpuStage::<ArrayD<T>>::try_collect(net, &mut ticket, minute).unwrap();
    result.expect("a batch is done within a minute")
}

/// Compares values that may be NaN, at the same places.
pub(crate) fn assert_near(device: &ArrayD<f32>, twin: &ArrayD<f32>, what: &str) {
    assert_eq!(device.shape(), twin.shape(), "{what}");
    let largest = twin.iter().filter(|value| value.is_finite()).fold(0.0_f32, |a, b| a.max(b.abs()));
    for (index, (a, b)) in device.iter().zip(twin).enumerate() {
        let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * largest;
        assert!(same, "{what}: {a} on the device, {b} on the twin, at {index} of {:?}", twin.shape());
    }
}

/// Calls `one` for some cases, each with numbers of its own.
pub(crate) fn cases(count: u64, one: impl Fn(&Gpu, &mut Numbers)) {
    let Some(gpu) = super::device() else { return };
    for case in 1..=count {
        let mut numbers = Numbers(case * 0x9e37_79b9_7f4a_7c15);
        (0..8).for_each(|_| _ = numbers.next());
        one(&gpu, &mut numbers);
    }
}
