//! Numbers without a pattern, the same in every run, and tensors of them.

use ndarray::{ArrayD, IxDyn};

use crate::check::Input;

/// A source of numbers (xorshift).
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

    pub(crate) fn picks<const N: usize>(&mut self, low: usize, high: usize) -> [usize; N] {
        [0; N].map(|_| self.pick(low, high))
    }

    /// From `low` to `high`, both included; in half of the cases all are multiples of four, and `high` is one.
    pub(crate) fn sizes<const N: usize>(&mut self, low: usize, high: usize) -> [usize; N] {
        let step = [1, 4][self.pick(0, 1)];
        self.picks::<N>(low, high).map(|size| size.next_multiple_of(step))
    }

    /// From `low` to `high`, both included.
    pub(crate) fn signed(&mut self, low: i64, high: i64) -> i64 {
        low + self.pick(0, (high - low) as usize) as i64
    }

    /// A shape of `low` to `high` axes of 1 to `longest`.
    pub(crate) fn shape(&mut self, [low, high]: [usize; 2], longest: usize) -> Vec<usize> {
        (0..self.pick(low, high)).map(|_| self.pick(1, longest)).collect()
    }

    /// Every number below `count` once.
    pub(crate) fn permutation(&mut self, count: usize) -> Vec<usize> {
        let mut perm: Vec<usize> = (0..count).collect();
        (1..count).for_each(|place| perm.swap(place, self.pick(0, place)));
        perm
    }

    /// Values from minus two to two.
    pub(crate) fn floats(&mut self, shape: &[usize]) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || (self.next() >> 40) as f32 / (1 << 22) as f32 - 2.0)
    }

    /// Whole numbers from `low` to `high`, both included.
    pub(crate) fn wholes(&mut self, shape: &[usize], low: i64, high: i64) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || self.signed(low, high) as f32)
    }

    /// So many items.
    pub(crate) fn batch(&mut self, count: usize, shape: &[usize]) -> Vec<ArrayD<f32>> {
        (0..count).map(|_| self.floats(shape)).collect()
    }

    /// One to four items, as an input of a kernel.
    pub(crate) fn items(&mut self, shape: &[usize]) -> Input {
        let count = self.pick(1, 4);
        Input::Items(self.batch(count, shape))
    }

    /// A tensor that all items share, as an input of a kernel.
    pub(crate) fn constant(&mut self, shape: &[usize]) -> Input {
        Input::Constant(self.floats(shape))
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

/// Calls `one` for some cases, each with numbers of its own.
pub(crate) fn cases(count: u64, mut one: impl FnMut(&mut Numbers)) {
    (0..count).map(Numbers::new).for_each(|mut numbers| one(&mut numbers));
}
