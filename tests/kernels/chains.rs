//! What kernels do to single values is done where these are written, and gives what passes of their own give.

use gapless::gpu::TensorId;
use gapless::kernel::{
    Binary, BinaryOp, Concat, Conv2d, GlobalAveragePool, MatMul, Pad, PadMode, Rearrange, Reduce, ReduceOp,
    Softmax, Spec, Unary, UnaryOp,
};
use gapless::{Gpu, Program};

use crate::check::{cases_on_device, open, output, run};
use crate::near::{SUMS, assert_near};
use crate::numbers::{Numbers, cases};

const ITEM: [usize; 3] = [8, 4, 6];

/// A program that is put together from numbers, the same from the same numbers.
struct Built {
    net: Program,
    n: Numbers,
    /// Whether what every kernel gives is an output, so that each has a pass of its own.
    apart: bool,
    named: usize,
    /// What was given on the way.
    before: Vec<TensorId>,
}

impl Built {
    fn constant(&mut self, shape: &[usize]) -> TensorId {
        self.named += 1;
        let values = self.n.floats(shape);
        self.net.constant(&format!("constant {}", self.named), values).unwrap()
    }

    fn given(&mut self, tensor: TensorId) -> TensorId {
        self.named += 1;
        if self.apart {
            self.net.output(&format!("between {}", self.named), tensor).unwrap();
        }
        tensor
    }

    fn shape(&self, tensor: TensorId) -> Vec<usize> {
        self.net.spec(tensor).unwrap().shape.clone()
    }

    /// A kernel that does more than a function of each value, or one that does no more.
    fn first(&mut self, x: TensorId) -> TensorId {
        let kind = self.n.pick(0, 10);
        let weight = match kind {
            0 => Some(self.constant(&[12, 8, 1, 1])),
            1 => Some(self.constant(&[8, 1, 3, 3])),
            2 => Some(self.constant(&[6, 8])),
            3 => Some(self.constant(&[6, 5])),
            _ => None,
        };
        let net = &mut self.net;
        match (kind, weight) {
            (0, Some(weight)) => net.add(Conv2d::new(), &[x, weight]),
            (1, Some(weight)) => net.add(Conv2d::new().groups(8).pads([1; 4]), &[x, weight]),
            (2, Some(weight)) => net.add(MatMul::new(), &[x, weight]),
            (3, Some(weight)) => net.add_each(MatMul::new(), &[x, weight]),
            (4, _) => net.add(Softmax::new(), &[x]),
            (5, _) => net.add(Reduce::new(ReduceOp::Sum, [1]), &[x]),
            (6, _) => net.add(Pad::new([1, 0, 2], [0, 1, 0], PadMode::Constant(0.5)), &[x]),
            (7, _) => net.add(Concat::new(1), &[x, x]),
            (8, _) => net.add(Rearrange::transpose([2, 0, 1]), &[x]),
            (9, _) => net.add(GlobalAveragePool::new(), &[x]),
            _ => net.add(Unary::new(UnaryOp::Abs), &[x]),
        }
        .unwrap()
    }

    /// A tensor that is repeated to this shape: any axes may be 1, and leading ones may be missing.
    fn other(&mut self, shape: &[usize], x: TensorId) -> TensorId {
        let mut own: Vec<usize> =
            shape.iter().map(|&axis| if self.n.pick(0, 2) == 0 { 1 } else { axis }).collect();
        let leading = own.iter().take_while(|axis| **axis == 1).count();
        own.drain(..self.n.pick(0, leading));
        if self.n.pick(0, 1) == 0 {
            return self.constant(&own);
        }
        // Values of the item's own: as many of its first ones as are wanted.
        let len = own.iter().product::<usize>();
        let flat = self.net.reshape(x, &[ITEM.iter().product()]).unwrap();
        let padded = self.net.add(Pad::new([0], [len as i64], PadMode::Edge), &[flat]).unwrap();
        let cut = self.net.add(Rearrange::slice([0], [len as i64], [1]), &[padded]).unwrap();
        let cut = self.given(cut);
        self.net.reshape(cut, &own).unwrap()
    }

    fn follow(&mut self, before: TensorId, x: TensorId) -> TensorId {
        let shape = self.shape(before);
        let ones = [
            UnaryOp::Relu,
            UnaryOp::Clip { low: -1.5, high: 2.0 },
            UnaryOp::Clip { low: f32::NEG_INFINITY, high: 1.0 },
            UnaryOp::Gelu,
            UnaryOp::Tanh,
            UnaryOp::Swish { alpha: 1.5 },
            UnaryOp::HardSwish,
            UnaryOp::Neg,
            UnaryOp::Elu { alpha: 0.5 },
        ];
        let twos =
            [BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Max, BinaryOp::Min, BinaryOp::PRelu];
        self.before.push(before);
        let given = match self.n.pick(0, 10) {
            9 | 10 if shape.len() > 1 => {
                self.net.add(Rearrange::transpose(self.n.permutation(shape.len())), &[before])
            }
            0 => return self.net.reshape(before, &[1, shape.iter().product()]).unwrap(),
            1 | 2 => self.net.add(Unary::new(ones[self.n.pick(0, ones.len() - 1)]), &[before]),
            3 => self.net.add(Binary::new(BinaryOp::Mul), &[before, before]),
            4 | 5 => {
                let other = self.before[self.n.pick(0, self.before.len() - 1)];
                let other = self.net.reshape(other, &shape).unwrap();
                let pair = if self.n.pick(0, 1) == 0 { [before, other] } else { [other, before] };
                self.net.add(Binary::new(twos[self.n.pick(0, twos.len() - 1)]), &pair)
            }
            _ => {
                let other = self.other(&shape, x);
                let pair = if self.n.pick(0, 1) == 0 { [before, other] } else { [other, before] };
                self.net.add(Binary::new(twos[self.n.pick(0, twos.len() - 1)]), &pair)
            }
        };
        self.given(given.unwrap())
    }
}

fn build(gpu: &Gpu, seed: usize, apart: bool) -> Program {
    let net = Program::new(gpu);
    let mut built = Built { net, n: Numbers::new(seed as u64), apart, named: 0, before: Vec::new() };
    let x = built.net.input("x", Spec::floats(&ITEM)).unwrap();
    let tensor = built.first(x);
    let mut tensor = built.given(tensor);
    for _ in 0..built.n.pick(1, 6) {
        tensor = built.follow(tensor, x);
    }
    // A view is no kernel's output.
    let y = built.net.add(Unary::new(UnaryOp::Neg), &[tensor]).unwrap();
    built.net.output("y", y).unwrap();
    built.net
}

fn kernels(net: &Program) -> usize {
    net.plan(3).unwrap().kernels().count()
}

#[test]
fn twins_give_the_same_bits_with_what_follows_in_the_same_pass_or_apart() {
    let mut fewer = 0;
    cases(400, |n| {
        let (seed, batch) = (n.pick(0, 1 << 30), n.batch(2, &ITEM));
        let (mut joined, mut apart) = (build(&Gpu::cpu(), seed, false), build(&Gpu::cpu(), seed, true));
        fewer += usize::from(kernels(&joined) + 1 < kernels(&apart));
        let (one, other) = (output(&mut joined, &batch), output(&mut apart, &batch));
        let bits =
            |values: &ndarray::ArrayD<f32>| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&one), bits(&other), "seed {seed}: {}", joined.plan(2).unwrap());
    });
    assert!(fewer > 200, "{fewer} of 400 have fewer kernels by two");
}

#[test]
fn a_device_gives_what_the_twins_give_with_what_follows_in_the_same_pass() {
    cases_on_device(60, |gpu, n| {
        let (seed, batch) = (n.pick(0, 1 << 30), n.batch(3, &ITEM));
        let wanted = output(&mut build(&Gpu::cpu(), seed, true), &batch);
        let mut net = build(gpu, seed, false);
        open::<ndarray::ArrayD<f32>>(&mut net, 3);
        let given = run(&mut net, &batch)["y"].clone();
        assert_near(&given, &wanted, SUMS, &format!("seed {seed}: {}", net.plan(3).unwrap()));
    });
}

/// Planes, a convolution of them, and the sum of both as the rectifier gives it.
fn block(gpu: &Gpu, more: impl Fn(&mut Program, TensorId)) -> Program {
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(&ITEM)).unwrap();
    let weight = net.constant("weight", ndarray::ArrayD::zeros(ndarray::IxDyn(&[8, 8, 1, 1]))).unwrap();
    let conv = net.add(Conv2d::new(), &[x, weight]).unwrap();
    more(&mut net, conv);
    let sum = net.add(Binary::add(), &[x, conv]).unwrap();
    let y = net.add(Unary::relu(), &[sum]).unwrap();
    net.output("y", y).unwrap();
    net
}

#[test]
fn a_plan_says_what_follows_a_kernel() {
    let plan = block(&Gpu::cpu(), |_, _| {}).plan(1).unwrap();
    let then: Vec<_> =
        plan.kernels().map(|kernel| (kernel.name.to_owned(), kernel.then.to_owned())).collect();
    assert_eq!(then, [("conv2d.0".to_owned(), "add, relu".to_owned())]);
    assert!(plan.to_string().contains("f32[8,8,1,1]  then add, relu\n"), "{plan}");
}

#[test]
fn a_value_that_is_read_again_by_what_follows_needs_no_pass() {
    let mut net = Program::new(&Gpu::cpu());
    let x = net.input("x", Spec::floats(&ITEM)).unwrap();
    let mean = net.add(GlobalAveragePool::new(), &[x]).unwrap();
    let slope = net.constant("slope", ndarray::arr0(1.702).into_dyn()).unwrap();
    let steep = net.add(Binary::new(BinaryOp::Mul), &[mean, slope]).unwrap();
    let gate = net.add(Unary::new(UnaryOp::Sigmoid), &[steep]).unwrap();
    let y = net.add(Binary::new(BinaryOp::Mul), &[mean, gate]).unwrap();
    net.output("y", y).unwrap();
    let then: Vec<_> = net.plan(1).unwrap().kernels().map(|kernel| kernel.then.to_owned()).collect();
    assert_eq!(then, ["mul, sigmoid, mul"]);
}

#[test]
fn what_is_turned_behind_a_kernel_is_written_so_and_goes_on() {
    let mut net = Program::new(&Gpu::cpu());
    let x = net.input("x", Spec::floats(&ITEM)).unwrap();
    let weight = net.constant("weight", ndarray::ArrayD::zeros(ndarray::IxDyn(&[8, 8, 1, 1]))).unwrap();
    let conv = net.add(Conv2d::new(), &[x, weight]).unwrap();
    let conv = net.add(Unary::relu(), &[conv]).unwrap();
    let turned = net.add(Rearrange::transpose([1, 2, 0]), &[conv]).unwrap();
    let scale = net.constant("scale", ndarray::ArrayD::zeros(ndarray::IxDyn(&[8]))).unwrap();
    let y = net.add(Binary::new(BinaryOp::Mul), &[turned, scale]).unwrap();
    net.output("y", y).unwrap();
    let then: Vec<_> = net.plan(1).unwrap().kernels().map(|kernel| kernel.then.to_owned()).collect();
    assert_eq!(then, ["relu, rearrange, mul"]);
}

#[test]
fn a_plan_says_why_a_kernel_is_apart() {
    let given = block(&Gpu::cpu(), |net, conv| net.output("conv", conv).unwrap());
    let text = given.plan(1).unwrap().to_string();
    assert!(text.contains("\nbinary.1 is apart from conv2d.0: it is an output\n"), "{text}");
    let read = block(&Gpu::cpu(), |net, conv| {
        let mean = net.add(GlobalAveragePool::new(), &[conv]).unwrap();
        net.output("mean", mean).unwrap();
    });
    let text = read.plan(1).unwrap().to_string();
    assert!(text.contains("\nbinary.2 is apart from conv2d.0: others read it too\n"), "{text}");
}

#[test]
fn nan_and_infinity_go_through_what_follows_as_through_passes_of_their_own() {
    cases_on_device(20, |gpu, n| {
        let (seed, mut batch) = (n.pick(0, 1 << 30), n.batch(1, &ITEM));
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        odd.into_iter().for_each(|odd| batch[0][[n.pick(0, 7), n.pick(0, 3), n.pick(0, 5)]] = odd);
        let wanted = output(&mut build(gpu, seed, true), &batch);
        let given = output(&mut build(gpu, seed, false), &batch);
        assert_near(&given, &wanted, SUMS, &format!("seed {seed}"));
    });
}
