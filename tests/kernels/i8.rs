//! Convolutions and products read constants of i8 as the floats that they are.

use gapless::gpu::TensorId;
use gapless::kernel::{Binary, BinaryOp, Conv2d, Kernel, MatMul, Spec, Unary};
use gapless::{Gpu, Program};
use ndarray::ArrayD;

use crate::check::{cases_on_device, compare, output};
use crate::common::device;
use crate::forced::{self, Forced};
use crate::near::SUMS;
use crate::numbers::Numbers;

/// A kernel of items and of a constant of i8, with the scale of each output behind it.
struct Case<K> {
    kernel: K,
    item: Vec<usize>,
    weight: ArrayD<i8>,
    /// The shape of the scale.
    scale: Vec<usize>,
}

impl<K: Kernel + Copy> Case<K> {
    fn program(&self, gpu: &Gpu, variant: usize, quantised: bool) -> Program {
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::floats(&self.item)).unwrap();
        let weight: TensorId = match quantised {
            true => net.constant_i8("w", self.weight.clone()).unwrap(),
            false => net.constant("w", self.weight.mapv(f32::from)).unwrap(),
        };
        let scale = net.constant("scale", Numbers::new(8).floats(&self.scale)).unwrap();
        let y = net.add(Forced { kernel: self.kernel, variant }, &[x, weight]).unwrap();
        let y = net.add(Binary::new(BinaryOp::Mul), &[y, scale]).unwrap();
        net.output("y", y).unwrap();
        net
    }

    /// Every variant against the twin of the floats.
    fn check(&self, gpu: &Gpu, n: &mut Numbers) {
        let batch = n.batch(2, &self.item);
        let wanted = output(&mut self.program(&Gpu::cpu(), 0, false), &batch);
        assert_eq!(output(&mut self.program(&Gpu::cpu(), 0, true), &batch), wanted);
        let specs = [Spec::floats(&self.item), Spec::constant_i8(self.weight.shape())];
        for variant in forced::full(gpu, &self.kernel, &[&specs[0], &specs[1]]) {
            let what = format!("variant {variant} of {:?} of {specs:?}", self.kernel);
            compare(&mut self.program(gpu, variant, true), &batch, &wanted, SUMS, &what);
        }
    }
}

fn weight(n: &mut Numbers, shape: &[usize]) -> ArrayD<i8> {
    n.wholes(shape, -128, 127).mapv(|value| value as i8)
}

#[test]
fn convolutions_read_every_byte_as_the_float_that_it_is() {
    cases_on_device(12, |gpu, n| {
        let groups = n.pick(1, 2);
        let (share, outputs) = (n.pick(1, 9), groups * n.pick(1, 19));
        let kernel: [usize; 2] = n.picks(1, 3);
        let case = Case {
            kernel: Conv2d::new().groups(groups).stride(n.picks(1, 2)).pads(n.picks(0, 2)),
            item: vec![groups * share, n.pick(5, 12), n.pick(5, 12)],
            weight: weight(n, &[outputs, share, kernel[0], kernel[1]]),
            scale: vec![outputs, 1, 1],
        };
        case.check(gpu, n);
    });
}

#[test]
fn products_read_every_byte_as_the_float_that_it_is() {
    cases_on_device(12, |gpu, n| {
        let (rows, terms, columns) =
            (n.pick(1, 40), [n.pick(1, 40), 16][n.pick(0, 1)], [n.pick(1, 70), 20][n.pick(0, 1)]);
        let turned = n.pick(0, 1) == 1;
        let shape = if turned { [columns, terms] } else { [terms, columns] };
        let case = Case {
            kernel: MatMul::new().transpose_b(turned),
            item: vec![rows, terms],
            weight: weight(n, &shape),
            scale: vec![columns],
        };
        case.check(gpu, n);
    });
}

#[test]
fn constants_of_i8_take_a_quarter_of_the_bytes_and_what_does_not_read_them_refuses_them() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(1);
    let case =
        Case { kernel: MatMul::new(), item: vec![3, 32], weight: weight(&mut n, &[32, 16]), scale: vec![16] };
    let bytes = |quantised| case.program(&gpu, 0, quantised).plan(1).unwrap().constant_bytes();
    assert_eq!((bytes(true), bytes(false)), (32 * 16 + 16 * 4, 32 * 16 * 4 + 16 * 4));
    let mut net = Program::new(&gpu);
    let w = net.constant_i8("w", weight(&mut n, &[4])).unwrap();
    let error = net.add(Unary::relu(), &[w]).unwrap_err().to_string();
    assert!(error.contains("relu") || error.contains("unary"), "{error}");
    let input = Spec { batched: true, ..Spec::constant_i8(&[4]) };
    let error = net.input("x", input).unwrap_err().to_string();
    assert_eq!(error, "Program::input: x is of i8, which constants alone may be");
}
