//! What is computed twice of the same tensors is computed once.

use gapless::gpu::TensorId;
use gapless::kernel::{Binary, BinaryOp, Rearrange, Select, Softmax, Spec, Unary, UnaryOp};
use gapless::{Gpu, Program};
use ndarray::{ArrayD, IxDyn};

use crate::check::output;
use crate::numbers::{Numbers, cases};

fn kernels(net: &Program) -> Vec<String> {
    let plan = net.plan(1).unwrap();
    plan.kernels().map(|kernel| kernel.name.split('.').next().unwrap().to_owned()).collect()
}

/// A mask that is written out anew for each of some layers, with constants of its own.
fn masked(gpu: &Gpu, hidden: &[f32]) -> Program {
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(&[4, 6])).unwrap();
    let mut sum = x;
    for (layer, &hidden) in hidden.iter().enumerate() {
        let number = |net: &mut Program, name: &str, value: f32| {
            net.constant(&format!("{name}{layer}"), ArrayD::from_elem(IxDyn(&[1]), value)).unwrap()
        };
        let (zero, hidden) = (number(&mut net, "zero", 0.0), number(&mut net, "hidden", hidden));
        let flags = net.add(Binary::new(BinaryOp::Greater), &[x, zero]).unwrap();
        let mask = net.add(Select::new(), &[flags, zero, hidden]).unwrap();
        let both = net.add(Binary::add(), &[sum, mask]).unwrap();
        sum = net.add(Softmax::new(), &[both]).unwrap();
    }
    net.output("y", sum).unwrap();
    net
}

#[test]
fn a_mask_that_is_written_out_for_every_layer_is_computed_once() {
    let selects = |hidden: &[f32]| {
        kernels(&masked(&Gpu::cpu(), hidden)).iter().filter(|kernel| *kernel == "select").count()
    };
    assert_eq!(selects(&[-2.0, -2.0, -2.0]), 1);
    assert_eq!(selects(&[-2.0, -3.0, -2.0]), 2);
    // The bits are compared: 0 and -0 are two numbers.
    assert_eq!(selects(&[0.0, -0.0]), 2);
}

/// Functions of tensors that were given before, each of which may stand there twice.
fn random(n: &mut Numbers, twice: bool) -> Program {
    let mut net = Program::new(&Gpu::cpu());
    let mut values = vec![net.input("x", Spec::floats(&[3, 4])).unwrap()];
    let ops = [UnaryOp::Tanh, UnaryOp::Neg, UnaryOp::Swish { alpha: 1.0 }, UnaryOp::Swish { alpha: 2.0 }];
    for _ in 0..6 {
        let (one, other) = (values[n.pick(0, values.len() - 1)], values[n.pick(0, values.len() - 1)]);
        let (op, kind) = (ops[n.pick(0, 3)], n.pick(0, 2));
        let add = |net: &mut Program| -> TensorId {
            match kind {
                0 => net.add(Unary::new(op), &[one]).unwrap(),
                1 => net.add(Binary::new(BinaryOp::Sub), &[one, other]).unwrap(),
                _ => {
                    let turned = net.add(Rearrange::transpose([1, 0]), &[one]).unwrap();
                    net.reshape(turned, &[3, 4]).unwrap()
                }
            }
        };
        let first = add(&mut net);
        let second = if twice { add(&mut net) } else { first };
        values.extend([first, second]);
    }
    let last = values[values.len() - 2..].to_vec();
    let y = net.add(Binary::new(BinaryOp::Mul), &last).unwrap();
    net.output("y", y).unwrap();
    net
}

#[test]
fn a_program_in_which_everything_stands_twice_is_the_one_in_which_it_stands_once() {
    cases(60, |n| {
        let (seed, batch) = (n.pick(0, 1 << 30) as u64, n.batch(2, &[3, 4]));
        let [mut once, mut twice] = [false, true].map(|twice| random(&mut Numbers::new(seed), twice));
        assert_eq!(kernels(&once), kernels(&twice));
        assert_eq!(output(&mut once, &batch), output(&mut twice, &batch));
    });
}

#[test]
fn outputs_that_are_the_same_are_all_given() {
    let mut net = Program::new(&Gpu::cpu());
    let x = net.input("x", Spec::floats(&[3])).unwrap();
    for name in ["a", "b"] {
        let y = net.add(Unary::new(UnaryOp::Exp), &[x]).unwrap();
        net.output(name, y).unwrap();
    }
    let tensors = net.run_once(&ndarray::arr1(&[0.0_f32, 1.0, 2.0])).unwrap();
    assert_eq!(tensors["a"], tensors["b"]);
    assert_eq!(tensors["a"][[0, 1]], 1.0_f32.exp());
    assert_eq!(kernels(&net), ["unary"]);
}
