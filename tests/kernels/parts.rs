//! What is cut out of each item in one piece is read where it lies, by every kernel and by what follows one.

use gapless::gpu::TensorId;
use gapless::kernel::{
    Binary, BinaryOp, Concat, Conv2d, LayerNorm, MatMul, Precision, Rearrange, Reduce, ReduceOp, Spec, Unary,
    UnaryOp,
};
use gapless::{Gpu, Program};
use ndarray::ArrayD;

use crate::check::{cases_on_device, output};
use crate::near::{Near, SUMS, assert_near};
use crate::numbers::{Numbers, cases};

/// A tensor that is split along its first axis, and its parts read by kernels of many kinds.
struct Split {
    seed: u64,
    channels: usize,
    side: usize,
    parts: usize,
}

impl Split {
    fn some(n: &mut Numbers) -> Self {
        let seed = n.pick(0, 1 << 30) as u64;
        Self { seed, channels: 4 * n.pick(1, 3), side: 2 * n.pick(1, 3), parts: n.pick(2, 4) }
    }

    fn item(&self) -> [usize; 3] {
        [self.channels * self.parts, self.side, self.side]
    }

    /// With its parts as outputs too, so that each is a tensor of its own, or not.
    fn program(&self, gpu: &Gpu, apart: bool) -> Program {
        let (mut n, mut net) = (Numbers::new(self.seed), Program::new(gpu));
        let (c, side) = (self.channels, self.side);
        let x = net.input("x", Spec::floats(&self.item())).unwrap();
        let row = net.constant("row", n.floats(&[side])).unwrap();
        let x = net.add(LayerNorm::new(2, 1e-3), &[x, row]).unwrap();
        let cut = |net: &mut Program, part: usize| {
            let (from, to) = ([(part * c) as i64, 0, 0], [((part + 1) * c) as i64, side as i64, side as i64]);
            let name = format!("part {part}");
            let part = net.add(Rearrange::slice(from, to, [1; 3]), &[x]).unwrap();
            if apart {
                net.output(&name, part).unwrap();
            }
            part
        };
        let parts: Vec<TensorId> = (0..self.parts).map(|part| cut(&mut net, part)).collect();
        let mut made = Vec::new();
        for _ in 0..n.pick(2, 5) {
            let part = parts[n.pick(0, parts.len() - 1)];
            let other = parts[n.pick(0, parts.len() - 1)];
            made.push(self.kernel(&mut net, &mut n, part, other));
        }
        made.push(parts[0]);
        let made: Vec<TensorId> = made.into_iter().rev().take(4).collect();
        let y = net.add(Concat::new(0), &made).unwrap();
        net.output("y", y).unwrap();
        net
    }

    /// A kernel that gives as many planes of the same size.
    fn kernel(&self, net: &mut Program, n: &mut Numbers, part: TensorId, other: TensorId) -> TensorId {
        let (c, side) = (self.channels, self.side);
        let mut weight = |net: &mut Program, shape: &[usize]| {
            let name = format!("weight {}", n.pick(0, 1 << 40));
            net.constant(&name, n.floats(shape) * 0.3).unwrap()
        };
        let given = match self.seed.rotate_left(c as u32) % 6 {
            0 => {
                let weight = weight(net, &[c, c, 3, 3]);
                net.add(Conv2d::new().pads([1; 4]), &[part, weight]).unwrap()
            }
            1 => {
                let weight = weight(net, &[c, 1, 3, 3]);
                net.add(Conv2d::new().groups(c).pads([1; 4]), &[part, weight]).unwrap()
            }
            2 => {
                let weight = weight(net, &[side, side]);
                net.add(MatMul::new(), &[part, weight]).unwrap()
            }
            3 => {
                let half = net.reshape(part, &[c / 2, 2 * side, side]).unwrap();
                let means = net.add(Reduce::new(ReduceOp::Mean, [2]), &[half]).unwrap();
                let means = net.reshape(means, &[c / 2, 2 * side, 1]).unwrap();
                let given = net.add(Binary::new(BinaryOp::Sub), &[half, means]).unwrap();
                net.reshape(given, &[c, side, side]).unwrap()
            }
            4 => net.add(Rearrange::transpose([0, 2, 1]), &[part]).unwrap(),
            _ => net.add(Unary::new(UnaryOp::Tanh), &[part]).unwrap(),
        };
        net.add(Binary::new(BinaryOp::Mul), &[given, other]).unwrap()
    }
}

fn bits(values: &ArrayD<f32>) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn the_twins_give_the_bits_that_tensors_of_their_own_give() {
    cases(200, |n| {
        let split = Split::some(n);
        let batch = n.batch(2, &split.item());
        let [mut parts, mut apart] = [false, true].map(|apart| split.program(&Gpu::cpu(), apart));
        let [few, many] = [&parts, &apart].map(|net| net.plan(2).unwrap());
        assert!(few.kernels().count() < many.kernels().count(), "{few}\n{many}");
        assert_eq!(bits(&output(&mut parts, &batch)), bits(&output(&mut apart, &batch)), "{few}");
    });
}

#[test]
fn a_device_gives_what_the_twins_give() {
    cases_on_device(10, |gpu, n| {
        let split = Split::some(n);
        let batch = n.batch(3, &split.item());
        let wanted = output(&mut split.program(&Gpu::cpu(), true), &batch);
        let mut net = split.program(gpu, false);
        assert_near(&output(&mut net, &batch), &wanted, SUMS, &net.plan(3).unwrap().to_string());
        let mut halves = net.precision(Precision::Half);
        let near = Near::Largest(3e-2);
        assert_near(&output(&mut halves, &batch), &wanted, near, &halves.plan(3).unwrap().to_string());
    });
}
