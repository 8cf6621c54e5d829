//! A kernel with one input of items and a constant of 16-bit floats.

use gapless::gpu::TensorId;
use gapless::kernel::{Kernel, Precision, Spec};
use gapless::{Gpu, Program};
use ndarray::{ArrayD, IxDyn};

use crate::check::{compare, output};
use crate::forced::{self, Forced};
use crate::near::{EXACT, Near, assert_near};
use crate::numbers::Numbers;

/// Halves by their bits, and the same as floats.
#[derive(Clone)]
pub(crate) struct Halves {
    pub(crate) bits: ArrayD<u16>,
    pub(crate) floats: ArrayD<f32>,
}

impl Halves {
    /// The float of a half: its fraction and exponent as the standard defines them.
    pub(crate) fn new(bits: ArrayD<u16>) -> Self {
        let float = |bits: u16| {
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
            let size = match exponent {
                0 => fraction * (-24_f32).exp2(),
                _ => (1024.0 + fraction) * ((exponent - 25) as f32).exp2(),
            };
            if bits >> 15 == 1 { -size } else { size }
        };
        Self { floats: bits.mapv(float), bits }
    }

    /// Values from minus four to four, the smallest ones included.
    pub(crate) fn some(n: &mut Numbers, shape: &[usize]) -> Self {
        Self::new(ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            n.pick(0, 0x4400) as u16 | (n.pick(0, 1) as u16) << 15
        }))
    }

    /// Every half that is a number, as a matrix of eight columns.
    pub(crate) fn all() -> Self {
        let bits = (0..=u16::MAX).filter(|bits| bits >> 10 & 31 != 31);
        Self::new(ArrayD::from_shape_vec(IxDyn(&[7936, 8]), bits.collect()).unwrap())
    }

    pub(crate) fn seen_as(&self, shape: &[usize]) -> Self {
        Self::new(self.bits.clone().into_shape_with_order(shape).unwrap())
    }

    pub(crate) fn spec(&self) -> Spec {
        Spec::constant_f16(self.bits.shape())
    }
}

/// A kernel with one input of items and a constant of halves.
pub(crate) struct Case<K> {
    pub(crate) kernel: K,
    pub(crate) item: Vec<usize>,
    pub(crate) constant: Halves,
    pub(crate) constant_first: bool,
    pub(crate) bias: Option<ArrayD<f32>>,
}

impl<K: Kernel + Copy> Case<K> {
    pub(crate) fn new(kernel: K, item: &[usize], constant: Halves) -> Self {
        Self { kernel, item: item.to_vec(), constant, constant_first: false, bias: None }
    }

    /// The variants that compute with this precision.
    pub(crate) fn variants(&self, gpu: &Gpu, precision: Precision) -> Vec<usize> {
        let (item, constant) = (Spec::floats(&self.item), self.constant.spec());
        let inputs = if self.constant_first { [&constant, &item] } else { [&item, &constant] };
        forced::variants(gpu, &self.kernel, &inputs, precision)
    }

    /// With the constant as halves, or as floats.
    pub(crate) fn program(&self, gpu: &Gpu, halves: bool, variant: usize) -> Program {
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::floats(&self.item)).unwrap();
        let constant = match halves {
            true => net.constant_f16("c", self.constant.bits.clone()).unwrap(),
            false => net.constant("c", self.constant.floats.clone()).unwrap(),
        };
        let mut inputs: Vec<TensorId> =
            if self.constant_first { vec![constant, x] } else { vec![x, constant] };
        inputs.extend(self.bias.clone().map(|bias| net.constant("bias", bias).unwrap()));
        let y = net.add(Forced { kernel: self.kernel, variant }, &inputs).unwrap();
        net.output("y", y).unwrap();
        net
    }

    /// The twin bit by bit against the twin of the floats, and every variant against the twin.
    pub(crate) fn check(&self, gpu: &Gpu, batch: &[ArrayD<f32>], near: Near) {
        let what = format!("{:?} of {:?} and {:?}", self.kernel, self.item, self.constant.bits.shape());
        let cpu = Gpu::cpu();
        let wanted = output(&mut self.program(&cpu, false, 0), batch);
        assert_near(&output(&mut self.program(&cpu, true, 0), batch), &wanted, EXACT, &what);
        for variant in self.variants(gpu, Precision::Full) {
            let what = format!("variant {variant} of {what}");
            compare(&mut self.program(gpu, true, variant), batch, &wanted, near, &what);
        }
    }
}
