//! Attention in one kernel gives what its parts give, whatever stands around them.

use gapless::gpu::TensorId;
use gapless::kernel::{
    Attention, Binary, BinaryOp, MatMul, Rearrange, Select, Softmax, Spec, Unary, UnaryOp,
};
use gapless::{Gpu, Program};
use ndarray::{ArrayD, Axis, IxDyn};

use crate::check::{Input, cases_on_device, check, item, output, program, refused, twin_of};
use crate::common::device;
use crate::near::{SUMS, assert_near, assert_near_definition};
use crate::numbers::{Numbers, cases};

/// Term by term in f64, for one matrix.
fn defined(
    q: &ArrayD<f32>,
    k: &ArrayD<f32>,
    v: &ArrayD<f32>,
    scale: f32,
    seen: impl Fn(usize, usize) -> f64,
) -> ArrayD<f32> {
    let (m, n, d) = (q.shape()[0], k.shape()[0], q.shape()[1]);
    let score = |i: usize, j: usize| {
        let product: f64 = (0..d).map(|term| f64::from(q[[i, term]]) * f64::from(k[[j, term]])).sum();
        f64::from(scale) * product + seen(i, j)
    };
    ArrayD::from_shape_fn(IxDyn(&[m, v.shape()[1]]), |at| {
        let scores: Vec<f64> = (0..n).map(|j| score(at[0], j)).collect();
        let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
        let sum: f64 = shares.iter().sum();
        (shares.iter().enumerate().map(|(j, share)| share / sum * f64::from(v[[j, at[1]]])).sum::<f64>())
            as f32
    })
}

#[test]
fn the_twin_is_the_definition() {
    cases(60, |n| {
        let [d, e] = [n.pick(1, 20), n.pick(1, 20)];
        let [rows, keys] = [n.pick(1, 9), n.pick(1, 9)];
        let (q, k, v) = (n.floats(&[rows, d]), n.floats(&[keys, d]), n.floats(&[keys, e]));
        let mask = n.floats(&[rows, keys]);
        let plain = twin_of(&Attention::new(0.5), &[&q, &k, &v], &[true; 3]);
        assert_near_definition(&plain, &defined(&q, &k, &v, 0.5, |_, _| 0.0));
        let masked = twin_of(&Attention::new(0.5).masked(true), &[&q, &k, &v, &mask], &[true; 4]);
        assert_near_definition(&masked, &defined(&q, &k, &v, 0.5, |i, j| f64::from(mask[[i, j]])));
        let (cap, cold) = (0.7, twin_of(&Attention::new(0.5).softcap(0.7), &[&q, &k, &v], &[true; 3]));
        let score = |i: usize, j: usize| {
            let product: f64 = (0..d).map(|term| f64::from(q[[i, term]]) * f64::from(k[[j, term]])).sum();
            let score = 0.5 * product;
            cap * (score / cap).tanh() - score
        };
        assert_near_definition(&cold, &defined(&q, &k, &v, 0.5, score));
        let causal = twin_of(&Attention::new(2.0).causal(true), &[&q, &k, &v], &[true; 3]);
        let last = |i: usize| i + keys - rows.min(keys);
        let seen = |i: usize, j: usize| if j <= last(i) { 0.0 } else { f64::NEG_INFINITY };
        assert_near_definition(&causal, &defined(&q, &k, &v, 2.0, seen));
    });
}

#[test]
fn a_device_gives_what_the_twin_gives() {
    cases_on_device(40, |gpu, n| {
        let fours = [1, 4][n.pick(0, 1)];
        let [d, e] = [fours * n.pick(1, 20), fours * n.pick(1, 20)];
        let [rows, keys, heads] = [n.pick(1, 40), n.pick(1, 90), n.pick(1, 4)];
        let shared = if n.pick(0, 1) == 0 { 1 } else { heads };
        let items = n.pick(1, 3);
        let mut inputs = vec![
            Input::Items(n.batch(items, &[heads, rows, d])),
            Input::Items(n.batch(items, &[shared, keys, d])),
            if n.pick(0, 1) == 0 {
                n.constant(&[shared, keys, e])
            } else {
                Input::Items(n.batch(items, &[shared, keys, e]))
            },
        ];
        let masked = n.pick(0, 1) == 0;
        if masked {
            let shape = [[heads, rows, keys], [1, 1, keys], [1, rows, keys]][n.pick(0, 2)];
            inputs.push(if n.pick(0, 1) == 0 {
                n.constant(&shape)
            } else {
                Input::Items(n.batch(items, &shape))
            });
        }
        let cap = [0.0, 0.8][n.pick(0, 1)];
        let kernel = Attention::new(0.3).masked(masked).causal(n.pick(0, 2) == 0).softcap(cap);
        check(gpu, kernel, &inputs, SUMS);
    });
}

#[test]
fn rows_without_a_score_are_nan_and_others_are_not() {
    cases_on_device(6, |gpu, n| {
        let odd = [f32::NEG_INFINITY, f32::NAN, f32::INFINITY][n.pick(0, 2)];
        let (rows, keys) = (5, 7);
        let mut mask = n.floats(&[rows, keys]);
        mask.index_axis_mut(Axis(0), 1).fill(f32::NEG_INFINITY);
        mask[[2, 3]] = odd;
        mask[[3, 6]] = odd;
        let inputs =
            [n.items(&[rows, 8]), n.constant(&[keys, 8]), n.constant(&[keys, 8]), Input::Constant(mask)];
        check(gpu, Attention::new(1.0).masked(true), &inputs, SUMS);
        check(gpu, Attention::new(1.0).masked(true).zero_for_none(true), &inputs, SUMS);
    });
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let spec = |shape: &[usize]| Spec::floats(shape);
    refused(&Attention::new(1.0), &[spec(&[3, 4])], "takes 3 inputs (q, k, v), not 1");
    refused(
        &Attention::new(1.0),
        &[spec(&[3, 4]), spec(&[5, 8]), spec(&[5, 4])],
        "k is an f32 activation [5, 8]; rows as long as those of q, 4, would fit",
    );
    refused(
        &Attention::new(1.0),
        &[spec(&[3, 4]), spec(&[5, 4]), spec(&[5, 260])],
        "v is an f32 activation [5, 260]; [.., 5, up to 256] would fit",
    );
    refused(
        &Attention::new(1.0).softcap(-1.0),
        &[spec(&[3, 4]), spec(&[5, 4]), spec(&[5, 4])],
        "the cap is -1; a number that is not negative would fit",
    );
    refused(
        &Attention::new(1.0).masked(true),
        &[spec(&[3, 4]), spec(&[5, 4]), spec(&[5, 4]), spec(&[2, 5])],
        "mask is an f32 activation [2, 5]; what repeats to [1, 1, 1, 1, 3, 5] would fit",
    );
}

/// Attention of tokens as models are written: heads are split from one product or three and joined again.
struct Written {
    tokens: usize,
    heads: usize,
    width: usize,
    one_product: bool,
    /// Where the scale is: at q and k, at the scores, or nowhere.
    scaled: usize,
    masked: bool,
    turned: bool,
    /// Whether shares that are NaN are 0.
    guarded: bool,
}

impl Written {
    fn some(n: &mut Numbers) -> Self {
        let flag = |n: &mut Numbers| n.pick(0, 1) == 1;
        let [tokens, heads, width] = [n.pick(2, 9), n.pick(1, 3), n.pick(1, 12)];
        let (one_product, scaled) = (flag(n), n.pick(0, 3));
        Self { tokens, heads, width, one_product, scaled, masked: flag(n), turned: flag(n), guarded: flag(n) }
    }

    fn item(&self) -> [usize; 2] {
        [self.tokens, 8]
    }

    /// The program; `apart` makes the shares an output, so that they are computed.
    fn program(&self, gpu: &Gpu, seed: u64, apart: bool) -> Program {
        let (mut n, mut net) = (Numbers::new(seed), Program::new(gpu));
        let x = net.input("x", Spec::floats(&self.item())).unwrap();
        let [q, k, v] = self.heads_of(&mut net, x, &mut n);
        let number = |net: &mut Program, name: &str, value: f32| {
            net.constant(name, ArrayD::from_elem(IxDyn(&[]), value)).unwrap()
        };
        let (q, k) = match self.scaled {
            0 => {
                let root = number(&mut net, "root", 0.7);
                let mul = || Binary::new(BinaryOp::Mul);
                (net.add(mul(), &[q, root]).unwrap(), net.add(mul(), &[root, k]).unwrap())
            }
            _ => (q, k),
        };
        let mut scores = match self.turned {
            true => net.add(MatMul::new().transpose_b(true), &[q, k]).unwrap(),
            false => {
                let turned = net.add(Rearrange::transpose([0, 2, 1]), &[k]).unwrap();
                net.add(MatMul::new(), &[q, turned]).unwrap()
            }
        };
        if self.scaled == 1 || self.scaled == 2 {
            let op = if self.scaled == 1 { BinaryOp::Mul } else { BinaryOp::Div };
            let scale = number(&mut net, "scale", 1.5);
            scores = net.add(Binary::new(op), &[scores, scale]).unwrap();
        }
        if self.masked {
            let mut mask = n.floats(&[1, self.tokens, self.tokens]);
            if self.guarded {
                mask.index_axis_mut(Axis(1), 0).fill(f32::NEG_INFINITY);
            }
            let mask = net.constant("mask", mask).unwrap();
            scores = net.add(Binary::add(), &[mask, scores]).unwrap();
        }
        let mut shares = net.add(Softmax::new(), &[scores]).unwrap();
        if self.guarded {
            let zero = number(&mut net, "zero", 0.0);
            let none = net.add(Unary::new(UnaryOp::IsNan), &[shares]).unwrap();
            shares = net.add(Select::new(), &[none, zero, shares]).unwrap();
        }
        if apart {
            net.output("shares", shares).unwrap();
        }
        let heads = net.add(MatMul::new(), &[shares, v]).unwrap();
        let joined = net.add(Rearrange::transpose([1, 0, 2]), &[heads]).unwrap();
        let joined = net.reshape(joined, &[self.tokens, self.heads * self.width]).unwrap();
        let weight = net.constant("out", n.floats(&[self.heads * self.width, 8])).unwrap();
        let y = net.add(MatMul::new(), &[joined, weight]).unwrap();
        let y = net.add(Binary::add(), &[x, y]).unwrap();
        let y = net.add(Unary::new(UnaryOp::Tanh), &[y]).unwrap();
        net.output("y", y).unwrap();
        net
    }

    fn heads_of(&self, net: &mut Program, x: TensorId, n: &mut Numbers) -> [TensorId; 3] {
        let (t, h, w) = (self.tokens, self.heads, self.width);
        if !self.one_product {
            return ["q", "k", "v"].map(|name| {
                let weight = net.constant(name, n.floats(&[8, h * w]) * 0.25).unwrap();
                let all = net.add(MatMul::new(), &[x, weight]).unwrap();
                let split = net.reshape(all, &[t, h, w]).unwrap();
                net.add(Rearrange::transpose([1, 0, 2]), &[split]).unwrap()
            });
        }
        let weight = net.constant("qkv", n.floats(&[8, 3 * h * w]) * 0.25).unwrap();
        let all = net.add(MatMul::new(), &[x, weight]).unwrap();
        let split = net.reshape(all, &[t, 3, h, w]).unwrap();
        let turned = net.add(Rearrange::transpose([1, 2, 0, 3]), &[split]).unwrap();
        [0, 1, 2].map(|part| {
            let (from, to) = ([part, 0, 0, 0], [part + 1, h as i64, t as i64, w as i64]);
            let one = net.add(Rearrange::slice(from, to, [1; 4]), &[turned]).unwrap();
            net.reshape(one, &[h, t, w]).unwrap()
        })
    }
}

#[test]
fn attention_that_is_written_out_is_one_kernel_that_reads_and_writes_heads_where_they_lie() {
    cases(60, |n| {
        let written = Written::some(n);
        let (seed, batch) = (n.pick(0, 1 << 30) as u64, n.batch(2, &written.item()));
        let mut joined = written.program(&Gpu::cpu(), seed, false);
        let plan = joined.plan(2).unwrap();
        let kernels: Vec<_> =
            plan.kernels().map(|kernel| kernel.name.split('.').next().unwrap().to_owned()).collect();
        // Three products of the same rows are one.
        assert_eq!(kernels, ["mat_mul", "attention", "mat_mul"], "{plan}");
        let given = output(&mut joined, &batch);
        assert_near(
            &given,
            &output(&mut written.program(&Gpu::cpu(), seed, true), &batch),
            SUMS,
            &plan.to_string(),
        );
    });
}

#[test]
fn attention_that_is_written_out_gives_on_a_device_what_its_parts_give() {
    cases_on_device(24, |gpu, n| {
        let written = Written::some(n);
        let (seed, batch) = (n.pick(0, 1 << 30) as u64, n.batch(3, &written.item()));
        let wanted = output(&mut written.program(&Gpu::cpu(), seed, true), &batch);
        let mut net = written.program(gpu, seed, false);
        let given = output(&mut net, &batch);
        assert_near(&given, &wanted, SUMS, &net.plan(3).unwrap().to_string());
    });
}

/// Rows of one tensor that attend to each other by products and a softmax, with a mask of this value where a row comes
/// before a key.
fn with_mask(gpu: &Gpu, hidden: f32, rows: usize, keys: usize) -> Program {
    let mut net = Program::new(gpu);
    let q = net.input("q", Spec::floats(&[2, rows, 8])).unwrap();
    let k = net.input("k", Spec::floats(&[2, keys, 8])).unwrap();
    let mask = ArrayD::from_shape_fn(IxDyn(&[rows, keys]), |place| {
        if place[1] > place[0] + keys - rows { hidden } else { 0.0 }
    });
    let mask = net.constant("mask", mask).unwrap();
    let scores = net.add(MatMul::new().transpose_b(true), &[q, k]).unwrap();
    let scores = net.add(Binary::add(), &[scores, mask]).unwrap();
    let shares = net.add(Softmax::new(), &[scores]).unwrap();
    let y = net.add(MatMul::new(), &[shares, k]).unwrap();
    net.output("y", y).unwrap();
    net
}

#[test]
fn a_mask_that_hides_what_comes_later_is_not_read() {
    let Some(gpu) = device() else { return };
    for (hidden, rows, keys, read) in [
        (f32::NEG_INFINITY, 7, 7, false),
        (f32::MIN, 7, 7, false),
        (f32::MIN, 3, 7, false),
        (-1.0, 7, 7, true),
    ] {
        let mut n = Numbers::new(keys as u64);
        let item = vec![n.floats(&[2, rows, 8]), n.floats(&[2, keys, 8])];
        let mut net = with_mask(&gpu, hidden, rows, keys);
        assert_eq!(net.plan(1).unwrap().constant_bytes() > 0, read, "{hidden}");
        let mut apart = with_mask(&Gpu::cpu(), hidden, rows, keys);
        let scores = apart.tensor("y").unwrap();
        let again = apart.add(Unary::new(UnaryOp::Neg), &[scores]).unwrap();
        apart.output("again", again).unwrap();
        let wanted = plainly(hidden, &item);
        assert_near(&output(&mut net, std::slice::from_ref(&item)), &wanted, SUMS, &format!("{hidden}"));
        assert_near(&output(&mut apart, &[item]), &wanted, SUMS, "the twins");
    }
}

/// Attention with that mask by its definition, of a batch of one.
fn plainly(hidden: f32, item: &[ArrayD<f32>]) -> ArrayD<f32> {
    let (q, k) = (&item[0], &item[1]);
    let (rows, keys) = (q.shape()[1], k.shape()[1]);
    ArrayD::from_shape_fn(IxDyn(&[1, 2, rows, 8]), |place| {
        let (head, row, column) = (place[1], place[2], place[3]);
        let score = |key: usize| {
            let product: f32 = (0..8).map(|term| q[[head, row, term]] * k[[head, key, term]]).sum();
            product + if key > row + keys - rows { hidden } else { 0.0 }
        };
        let scores: Vec<f32> = (0..keys).map(score).collect();
        let most = scores.iter().copied().fold(f32::MIN, f32::max);
        let shares: Vec<f32> = scores.iter().map(|score| (score - most).exp()).collect();
        let sum: f32 = shares.iter().sum();
        shares.iter().enumerate().map(|(key, share)| share / sum * k[[head, key, column]]).sum()
    })
}

#[test]
fn a_row_of_which_a_mask_leaves_nothing_is_zero_where_that_is_asked_and_nan_stays_nan() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(17);
    let [mut q, k] = [(); 2].map(|()| n.floats(&[3, 4]));
    q[[2, 1]] = f32::NAN;
    let mask =
        ArrayD::from_shape_fn(IxDyn(&[3, 3]), |place| if place[0] == 1 { f32::NEG_INFINITY } else { 0.0 });
    let kernel = Attention::new(1.0).masked(true).zero_for_unseen(true);
    let inputs = [item(q), Input::Constant(k.clone()), Input::Constant(k), Input::Constant(mask)];
    let mut net = program(&gpu, kernel.clone(), &inputs);
    let Input::Items(items) = &inputs[0] else { unreachable!() };
    let given = output(&mut net, &[vec![items[0].clone()]]);
    let row = |row: usize| given.index_axis(Axis(0), 0).index_axis(Axis(0), row).to_owned();
    assert!(row(0).iter().all(|value| value.is_finite() && *value != 0.0), "{given}");
    assert!(row(1).iter().all(|value| *value == 0.0) && row(2).iter().all(|value| value.is_nan()), "{given}");
    check(&gpu, kernel, &inputs, SUMS);
}
