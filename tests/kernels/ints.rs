//! Whole numbers of 32 bits: every kernel against its definition in 64 bits, and on a device against its twin.

use gapless::gpu::TensorId;
use gapless::kernel::{
    Binary, BinaryOp, Cast, Concat, CumSum, Gather, GatherNd, Kernel, Pad, PadMode, Rearrange, Reduce,
    ReduceOp, Select, Spec, Unary, UnaryOp,
};
use gapless::{Gpu, Program, Rows};
use ndarray::{ArrayD, IxDyn};

use crate::common::device;
use crate::numbers::Numbers;

/// What stands for a number that 32 bits do not hold.
const NONE: i32 = i32::MIN;

/// Ends, neighbours of what floats hold, and small numbers.
const EDGES: [i32; 15] = [
    NONE,
    NONE + 1,
    -(1 << 30),
    -(1 << 24) - 1,
    -46_341,
    -7,
    -1,
    0,
    1,
    2,
    46_340,
    (1 << 24) - 1,
    (1 << 24) + 1,
    1 << 30,
    i32::MAX,
];

type Compares = fn(&i32, &i32) -> bool;
type Function = fn(i64) -> i64;

fn edges(n: &mut Numbers, shape: &[usize]) -> ArrayD<i32> {
    ArrayD::from_shape_simple_fn(IxDyn(shape), || EDGES[n.pick(0, EDGES.len() - 1)])
}

/// What a kernel gives for one item of whole numbers, with constants behind it.
fn run(gpu: &Gpu, kernel: impl Kernel, x: &ArrayD<i32>, constants: &[ArrayD<i32>]) -> Vec<f64> {
    let mut net = Program::new(gpu);
    let input = net.input("x", Spec::ints(x.shape())).unwrap();
    let constant = |(index, values): (usize, &ArrayD<i32>)| {
        net.constant_ints(&format!("constant {index}"), values.clone()).unwrap()
    };
    let constants: Vec<TensorId> = constants.iter().enumerate().map(constant).collect();
    let y = net.add(kernel, &[&[input], &constants[..]].concat()).unwrap();
    net.output("y", y).unwrap();
    given(&net, x)
}

fn given(net: &Program, x: &ArrayD<i32>) -> Vec<f64> {
    let tensors = net.run_once(x).unwrap();
    match tensors.row(0).ints("y") {
        Some(ints) => ints.iter().map(|&value| value.into()).collect(),
        None => tensors["y"].iter().map(|&value| value.into()).collect(),
    }
}

/// Checks what the twins give against what is wanted, and a device against the twins, NaN for NaN.
#[track_caller]
fn check(kernel: impl Kernel + Clone, x: &ArrayD<i32>, constants: &[ArrayD<i32>], wanted: &[f64]) {
    let same = |one: &[f64], other: &[f64]| {
        one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a == b || a.is_nan() && b.is_nan())
    };
    let on_twins = run(&Gpu::cpu(), kernel.clone(), x, constants);
    assert!(same(&on_twins, wanted), "{kernel:?} of {x} and {constants:?}: {on_twins:?}, not {wanted:?}");
    let Some(gpu) = device() else { return };
    let on_device = run(&gpu, kernel.clone(), x, constants);
    assert!(same(&on_device, wanted), "{kernel:?} of {x} and {constants:?}: {on_device:?}, not {wanted:?}");
}

/// A number of 64 bits as 32 hold it.
fn held(value: Option<i64>) -> f64 {
    let none = || f64::from(NONE);
    value.filter(|value| value.unsigned_abs() < 1 << 31).map_or_else(none, |value| value as f64)
}

/// The definition, of numbers that are some.
fn pair(op: BinaryOp, a: i64, b: i64) -> Option<i64> {
    match op {
        BinaryOp::Add => Some(a + b),
        BinaryOp::Sub => Some(a - b),
        BinaryOp::Mul => Some(a * b),
        BinaryOp::Div => (b != 0).then(|| a / b),
        BinaryOp::Min => Some(a.min(b)),
        BinaryOp::Max => Some(a.max(b)),
        BinaryOp::Mod => {
            (b != 0).then(|| a - b * a.div_euclid(b) + if b < 0 && a.rem_euclid(b) != 0 { b } else { 0 })
        }
        BinaryOp::Fmod => (b != 0).then(|| a % b),
        BinaryOp::Pow if b < 0 => match a {
            0 => None,
            1 => Some(1),
            -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
            _ => Some(0),
        },
        BinaryOp::Pow => a
            .checked_pow(b.min(100) as u32)
            .filter(|_| b <= 100 || a.abs() <= 1)
            .map(|power| if a == -1 && b % 2 != 0 { -1 } else { power }),
        _ => unreachable!("a comparison"),
    }
}

#[test]
fn functions_of_two_whole_numbers_are_exact_or_none() {
    let all = |of: fn(usize) -> usize| ArrayD::from_shape_fn(IxDyn(&[225]), |at| EDGES[of(at[0])]);
    let (a, b) = (all(|at| at / 15), all(|at| at % 15));
    for op in [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Min,
        BinaryOp::Max,
        BinaryOp::Mod,
        BinaryOp::Fmod,
        BinaryOp::Pow,
    ] {
        let wanted = a
            .iter()
            .zip(&b)
            .map(|(&a, &b)| held(if a == NONE || b == NONE { None } else { pair(op, a.into(), b.into()) }));
        check(Binary::new(op), &a, std::slice::from_ref(&b), &wanted.collect::<Vec<_>>());
    }
}

#[test]
fn whole_numbers_are_told_from_their_neighbours() {
    let all = |of: fn(usize) -> usize| ArrayD::from_shape_fn(IxDyn(&[225]), |at| EDGES[of(at[0])]);
    let (a, b) = (all(|at| at / 15), all(|at| at % 15));
    let comparisons: [(BinaryOp, Compares); 5] = [
        (BinaryOp::Equal, i32::eq),
        (BinaryOp::Less, i32::lt),
        (BinaryOp::LessOrEqual, i32::le),
        (BinaryOp::Greater, i32::gt),
        (BinaryOp::GreaterOrEqual, i32::ge),
    ];
    for (op, holds) in comparisons {
        let flag = |(a, b): (&i32, &i32)| {
            if *a == NONE || *b == NONE { f64::NAN } else { f64::from(u8::from(holds(a, b))) }
        };
        let wanted: Vec<f64> = a.iter().zip(&b).map(flag).collect();
        check(Binary::new(op), &a, std::slice::from_ref(&b), &wanted);
    }
}

#[test]
fn functions_of_one_whole_number_are_exact() {
    let x = ArrayD::from_shape_vec(IxDyn(&[15]), EDGES.to_vec()).unwrap();
    let ops: [(UnaryOp, Function); 3] =
        [(UnaryOp::Abs, i64::abs), (UnaryOp::Neg, |value| -value), (UnaryOp::Sign, i64::signum)];
    for (op, function) in ops {
        let value = |&value: &i32| held((value != NONE).then(|| function(value.into())));
        check(Unary::new(op), &x, &[], &x.iter().map(value).collect::<Vec<_>>());
    }
}

#[test]
fn whole_numbers_become_others_and_floats() {
    let x = ArrayD::from_shape_vec(IxDyn(&[15]), EDGES.to_vec()).unwrap();
    let cast = |kernel: Cast, function: &dyn Fn(i32) -> f64| {
        let one = |&value: &i32| function(value);
        check(kernel, &x, &[], &x.iter().map(one).collect::<Vec<_>>());
    };
    let some =
        |value: i32, narrow: &dyn Fn(i32) -> f64| if value == NONE { f64::from(NONE) } else { narrow(value) };
    cast(Cast::to_bits(8, true), &|value| some(value, &|value| (value as i8).into()));
    cast(Cast::to_bits(8, false), &|value| some(value, &|value| (value as u8).into()));
    cast(Cast::to_bits(16, true), &|value| some(value, &|value| (value as i16).into()));
    cast(Cast::to_bits(16, false), &|value| some(value, &|value| (value as u16).into()));
    cast(Cast::to_bits(32, false), &|value| if value < 0 { NONE.into() } else { value.into() });
    let float = |value: i32| if value == NONE { f64::NAN } else { f64::from(value as f32) };
    cast(Cast::to_floats(), &float);
    cast(Cast::to_exact_floats(), &|value| {
        if value.unsigned_abs() < 1 << 24 { float(value) } else { f64::NAN }
    });
    cast(Cast::to_flags(), &|value| if value == NONE { f64::NAN } else { f64::from(u8::from(value != 0)) });
}

#[test]
fn floats_become_whole_numbers_or_none() {
    let floats =
        [0.9, -1.9, 255.5, 256.0, 2_147_483_520.0, 2_147_483_648.0, -2_147_483_648.0, 1e30, f32::NAN];
    let wanted = [0, -1, 255, 256, 2_147_483_520, NONE, NONE, NONE, NONE];
    let narrow = [0, -1, 255, 0, 128, NONE, NONE, NONE, NONE];
    for (bits, signed, wanted) in
        [(32, true, wanted), (8, false, narrow.map(|value| if value == -1 { 255 } else { value }))]
    {
        for gpu in [Some(Gpu::cpu()), device()].into_iter().flatten() {
            let mut net = Program::new(&gpu);
            let x = net.input("x", Spec::floats(&[9])).unwrap();
            let y = net.add(Cast::to_bits(bits, signed), &[x]).unwrap();
            net.output("y", y).unwrap();
            let tensors = net.run_once(&ndarray::arr1(&floats)).unwrap();
            let given: Vec<i32> = tensors.ints("y").unwrap().iter().copied().collect();
            let wanted =
                wanted.map(
                    |value| if bits == 8 && value == 128 { (2_147_483_520_u32 & 255) as i32 } else { value },
                );
            assert_eq!(given, wanted, "{bits} bits");
        }
    }
}

#[test]
fn reductions_of_whole_numbers_are_exact_or_none() {
    let mut n = Numbers::new(3);
    for round in 0..8 {
        // Small ones too, or nearly every sum would be none.
        let x = match round % 2 {
            0 => edges(&mut n, &[3, 4, 2]),
            _ => ArrayD::from_shape_simple_fn(IxDyn(&[3, 4, 2]), || {
                n.signed(-9, 9) as i32 * [1, 1 << 20][n.pick(0, 1)]
            }),
        };
        let share = |op: ReduceOp, value: i32| match op {
            _ if value == NONE => None,
            ReduceOp::L1 => value.checked_abs(),
            ReduceOp::SumSquare => value.checked_mul(value),
            _ => Some(value),
        };
        let join = |op: ReduceOp, one: i32, other: i32| match op {
            ReduceOp::Max => Some(one.max(other)),
            ReduceOp::Min => Some(one.min(other)),
            ReduceOp::Prod => one.checked_mul(other),
            _ => one.checked_add(other),
        };
        for op in [
            ReduceOp::Sum,
            ReduceOp::Mean,
            ReduceOp::Max,
            ReduceOp::Min,
            ReduceOp::Prod,
            ReduceOp::L1,
            ReduceOp::SumSquare,
        ] {
            let of_row = |middle: usize| {
                let row = (0..3).flat_map(|first| [0, 1].map(|last| x[[first, middle, last]]));
                let shares = row.map(|value| share(op, value)).collect::<Option<Vec<i32>>>()?;
                let mut shares = shares.into_iter();
                let first = shares.next()?;
                let whole = shares.try_fold(first, |one, other| join(op, one, other))?;
                Some(i64::from(if op == ReduceOp::Mean { whole / 6 } else { whole }))
            };
            let wanted: Vec<f64> = (0..4).map(|middle| held(of_row(middle))).collect();
            check(Reduce::new(op, [0, 2]), &x, &[], &wanted);
        }
    }
}

#[test]
fn what_moves_whole_numbers_changes_none_of_their_bits() {
    let x = ArrayD::from_shape_vec(IxDyn(&[3, 5]), EDGES.to_vec()).unwrap();
    let list = |values: ArrayD<i32>| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    check(Rearrange::transpose([1, 0]), &x, &[], &list(x.t().to_owned()));
    let row = ArrayD::from_shape_vec(IxDyn(&[1, 5]), vec![7, NONE, (1 << 24) + 1, -3, i32::MAX]).unwrap();
    let joined = ndarray::concatenate(ndarray::Axis(0), &[x.view(), row.view()]).unwrap();
    check(Concat::new(0), &x, &[row], &list(joined));
    let mut padded = ArrayD::from_elem(IxDyn(&[3, 6]), 9);
    padded.slice_axis_mut(ndarray::Axis(1), ndarray::Slice::from(1..)).assign(&x);
    check(Pad::new([0, 1], [0, 0], PadMode::Constant(9.0)), &x, &[], &list(padded));
    let places = ndarray::arr1(&[4, -1, 0, 5, -6]).into_dyn();
    let gathered = ArrayD::from_shape_fn(IxDyn(&[3, 5]), |at| match at[1] {
        0 | 1 => x[[at[0], 4]],
        2 => x[[at[0], 0]],
        _ => NONE,
    });
    check(Gather::new(1), &x, &[places], &list(gathered));
    let corners = ndarray::arr2(&[[0, 0], [-1, -1], [0, 5], [3, 0]]).into_dyn();
    let found = vec![x[[0, 0]], x[[2, 4]], NONE, NONE].into_iter().map(f64::from).collect::<Vec<_>>();
    check(GatherNd::new(0), &x, &[corners], &found);
}

#[test]
fn a_sum_that_32_bits_do_not_hold_is_none_from_there_on() {
    let x = ndarray::arr2(&[[1, i32::MAX, -5], [(1 << 24) + 1, 2, NONE]]).into_dyn();
    let wanted = [1, NONE, NONE, (1 << 24) + 1, (1 << 24) + 3, NONE].map(f64::from);
    check(CumSum::new(1), &x, &[], &wanted);
}

#[test]
fn a_flag_chooses_between_whole_numbers() {
    let x = ArrayD::from_shape_vec(IxDyn(&[3, 5]), EDGES.to_vec()).unwrap();
    for gpu in [Some(Gpu::cpu()), device()].into_iter().flatten() {
        let mut net = Program::new(&gpu);
        let a = net.input("x", Spec::ints(&[3, 5])).unwrap();
        let flags = ndarray::arr2(&[[1.0], [0.0], [f32::NAN]]).into_dyn();
        let flags = net.constant("flags", flags).unwrap();
        let b = net.constant_ints("b", ndarray::arr1(&[i32::MAX]).into_dyn()).unwrap();
        let y = net.add(Select::new(), &[flags, a, b]).unwrap();
        net.output("y", y).unwrap();
        let wanted = ArrayD::from_shape_fn(IxDyn(&[3, 5]), |at| [x[[0, at[1]]], i32::MAX, NONE][at[0]]);
        assert_eq!(given(&net, &x), wanted.iter().map(|&value| f64::from(value)).collect::<Vec<_>>());
    }
}

#[test]
fn floats_that_are_whole_numbers_are_taken_for_these() {
    let mut net = Program::new(&Gpu::cpu());
    let x = net.input("x", Spec::ints(&[2])).unwrap();
    let y = net.add(Unary::new(UnaryOp::Neg), &[x]).unwrap();
    net.output("y", y).unwrap();
    let tensors = net.run_once(&ndarray::arr1(&[3.0_f32, -4.0])).unwrap();
    assert_eq!(tensors.ints("y").unwrap().as_slice(), Some(&[-3, 4][..]));
    let error = net.run_once(&ndarray::arr1(&[0.5_f32, 1.0])).unwrap_err().to_string();
    assert!(error.contains("f32[2]") && error.contains("i32[2]"), "{error}");
}
