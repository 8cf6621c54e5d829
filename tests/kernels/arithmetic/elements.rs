//! Functions of one value and of two.

use gapless::kernel::{Binary, BinaryOp, Select, Spec, Unary, UnaryOp};
use ndarray::{ArrayD, Axis, IxDyn};

use crate::check::{Input, cases_on_device, check, item, refused, twin};
use crate::near::{EXACT, Near, assert_near, within};
use crate::numbers::{Numbers, filled, odd_values};

const UNARY: [UnaryOp; 36] = [
    UnaryOp::Abs,
    UnaryOp::Ceil,
    UnaryOp::Elu { alpha: 0.7 },
    UnaryOp::Erf,
    UnaryOp::Exp,
    UnaryOp::Floor,
    UnaryOp::Gelu,
    UnaryOp::GeluTanh,
    UnaryOp::HardSigmoid { alpha: 0.2, beta: 0.5 },
    UnaryOp::HardSwish,
    UnaryOp::LeakyRelu { alpha: 0.1 },
    UnaryOp::Log,
    UnaryOp::Mish,
    UnaryOp::Neg,
    UnaryOp::Not,
    UnaryOp::Reciprocal,
    UnaryOp::Round,
    UnaryOp::Selu { alpha: 1.673_263_2, gamma: 1.050_701 },
    UnaryOp::Sigmoid,
    UnaryOp::Sign,
    UnaryOp::Sin,
    UnaryOp::Cos,
    UnaryOp::Softplus,
    UnaryOp::Softsign,
    UnaryOp::Sqrt,
    UnaryOp::Swish { alpha: 1.5 },
    UnaryOp::Tanh,
    UnaryOp::Celu { alpha: 2.0 },
    UnaryOp::ThresholdedRelu { alpha: 0.5 },
    UnaryOp::NonZero,
    UnaryOp::IsNan,
    UnaryOp::IsInf,
    UnaryOp::Trunc,
    UnaryOp::ToF16,
    UnaryOp::ToBf16,
    UnaryOp::Whole,
];

const BINARY: [BinaryOp; 18] = [
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::Pow,
    BinaryOp::Min,
    BinaryOp::Max,
    BinaryOp::PRelu,
    BinaryOp::Mod,
    BinaryOp::Fmod,
    BinaryOp::Equal,
    BinaryOp::Greater,
    BinaryOp::GreaterOrEqual,
    BinaryOp::Less,
    BinaryOp::LessOrEqual,
    BinaryOp::And,
    BinaryOp::Or,
    BinaryOp::Xor,
];

/// What `sin` of a device may err by, and a little more.
const CLOSE: Near = within(4e-6);

/// The function by the formula in the documentation of ONNX, in f64; the error function has a test of its own.
fn formula(op: UnaryOp, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let elu = |x: f64, alpha: f32| if x < 0.0 { f64::from(alpha) * (x.exp() - 1.0) } else { x };
    match op {
        UnaryOp::Abs => x.max(-x),
        UnaryOp::Ceil => -(-x).floor(),
        UnaryOp::Elu { alpha } => elu(x, alpha),
        UnaryOp::Exp => std::f64::consts::E.powf(x),
        UnaryOp::Floor => x.div_euclid(1.0),
        UnaryOp::GeluTanh => x * sigmoid((8.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))),
        UnaryOp::HardSigmoid { alpha, beta } => (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0),
        UnaryOp::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        UnaryOp::LeakyRelu { alpha } => x.max(0.0) + f64::from(alpha) * x.min(0.0),
        UnaryOp::Log => x.log2() * std::f64::consts::LN_2,
        UnaryOp::Mish => x * (1.0 + x.exp()).ln().tanh(),
        UnaryOp::Neg => 0.0 - x,
        UnaryOp::Not => {
            if x == 0.0 {
                1.0
            } else {
                0.0
            }
        }
        UnaryOp::Reciprocal => x.powi(-1),
        UnaryOp::Round => x.round_ties_even(),
        UnaryOp::Selu { alpha, gamma } => f64::from(gamma) * elu(x, alpha),
        UnaryOp::Sigmoid => sigmoid(x),
        UnaryOp::Sign => {
            if x == 0.0 {
                0.0
            } else {
                x / x.abs()
            }
        }
        UnaryOp::Sin => x.sin(),
        UnaryOp::Cos => x.cos(),
        UnaryOp::Softplus => (1.0 + x.exp()).ln(),
        UnaryOp::Softsign => x / (1.0 + x.abs()),
        UnaryOp::Sqrt => x.powf(0.5),
        UnaryOp::Swish { alpha } => x * sigmoid(f64::from(alpha) * x),
        UnaryOp::Tanh => 2.0 * sigmoid(2.0 * x) - 1.0,
        UnaryOp::Celu { alpha } => {
            let alpha = f64::from(alpha);
            x.max(0.0) + (alpha * ((x / alpha).exp() - 1.0)).min(0.0)
        }
        UnaryOp::ThresholdedRelu { alpha } => {
            if x > f64::from(alpha) {
                x
            } else {
                0.0
            }
        }
        other => f64::from(other.apply(x as f32)),
    }
}

#[test]
fn every_function_of_one_value_is_its_formula() {
    let x = ArrayD::from_shape_fn(IxDyn(&[81]), |place| place[0] as f32 / 4.0 - 10.0);
    for op in UNARY {
        let wanted = x.mapv(|x| formula(op, f64::from(x)) as f32);
        assert_near(&twin(&Unary::new(op), &[&x]), &wanted, within(1e-6), &format!("{op:?}"));
    }
}

#[test]
fn functions_of_two_values_give_what_the_hand_gives() {
    let pairs = [(-7.0, 3.0), (7.0, -3.0), (2.0, 2.0), (0.0, 1.0), (-2.0, 5.0)];
    let values = |op: BinaryOp| pairs.map(|(a, b)| op.apply(a, b));
    assert_eq!(values(BinaryOp::Mod), [2.0, -2.0, 0.0, 0.0, 3.0]);
    assert_eq!(values(BinaryOp::Fmod), [-1.0, 1.0, 0.0, 0.0, -2.0]);
    assert_eq!(values(BinaryOp::Pow), [-343.0, 1.0 / 343.0, 4.0, 0.0, -32.0]);
    assert_eq!(values(BinaryOp::PRelu), [-21.0, 7.0, 2.0, 0.0, -10.0]);
    assert_eq!(values(BinaryOp::Min), [-7.0, -3.0, 2.0, 0.0, -2.0]);
    assert_eq!(values(BinaryOp::Max), [3.0, 7.0, 2.0, 1.0, 5.0]);
    assert_eq!(values(BinaryOp::Equal), [0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(values(BinaryOp::Less), [1.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(values(BinaryOp::GreaterOrEqual), [0.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(values(BinaryOp::Xor), [0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(values(BinaryOp::And), [1.0, 1.0, 1.0, 0.0, 1.0]);
}

#[test]
fn nan_stays_nan_in_functions_of_two_values_but_in_comparisons() {
    let comparisons = &BINARY[10..18];
    for op in BINARY {
        for (a, b) in [(f32::NAN, 2.0), (2.0, f32::NAN), (f32::NAN, f32::NAN)] {
            let value = op.apply(a, b);
            assert!(
                if comparisons.contains(&op) { value == 0.0 } else { value.is_nan() },
                "{op:?} of {a}, {b}"
            );
        }
    }
}

#[test]
fn whole_numbers_from_2_to_the_24_are_none_among_floats() {
    assert_eq!([16_777_215.0, -7.0].map(|x| UnaryOp::Whole.apply(x)), [16_777_215.0, -7.0]);
    assert!(UnaryOp::Whole.apply(16_777_216.0).is_nan());
}

#[test]
fn every_function_of_one_value_gives_on_a_device_what_its_twin_gives() {
    cases_on_device(2, |gpu, n| {
        for op in UNARY {
            let shape = n.shape([0, 4], 9);
            let spread = n.floats(&shape) * 8.0;
            check(gpu, Unary::new(op), &[Input::Items(vec![n.floats(&shape), spread])], CLOSE);
        }
    });
}

#[test]
fn functions_of_one_value_agree_on_odd_values_too() {
    cases_on_device(1, |gpu, _| {
        let odd = odd_values();
        for op in UNARY {
            let x = filled(&[odd.len()], &odd);
            check(gpu, Unary::new(op), &[item(x.clone())], within(4e-5));
            let y = twin(&Unary::new(op), &[&x]);
            let answers = matches!(
                op,
                UnaryOp::ThresholdedRelu { .. } | UnaryOp::NonZero | UnaryOp::IsNan | UnaryOp::IsInf
            );
            assert!(answers != (y[[0]].is_nan() && y[[1]].is_nan()), "{op:?} of NaN is {}", y[[0]]);
        }
    });
}

#[test]
fn functions_of_two_values_repeat_axes_as_numpy_does() {
    let (row, column) = (filled(&[3], &[1.0, 2.0, 3.0]), filled(&[2, 1], &[10.0, 20.0]));
    let sum = twin(&Binary::add(), &[&column, &row]);
    assert_eq!(sum, filled(&[2, 3], &[11.0, 12.0, 13.0, 21.0, 22.0, 23.0]));
    let rest = twin(&Binary::new(BinaryOp::Sub), &[&row, &column]);
    assert_eq!(rest, filled(&[2, 3], &[-9.0, -8.0, -7.0, -19.0, -18.0, -17.0]));
}

/// Shapes that go together: axes of some are 1, and their first axes may be missing.
fn shapes_together<const N: usize>(n: &mut Numbers) -> [Vec<usize>; N] {
    let wide = n.shape([0, 6], 4);
    [(); N].map(|()| {
        let shape: Vec<usize> = wide.iter().map(|&len| if n.pick(0, 2) == 0 { 1 } else { len }).collect();
        shape[n.pick(0, shape.len())..].to_vec()
    })
}

#[test]
fn every_function_of_two_values_gives_on_a_device_what_its_twin_gives() {
    cases_on_device(4, |gpu, n| {
        for op in BINARY {
            let [a, b] = shapes_together(n);
            let (items, constant) = (n.items(&a), n.constant(&b));
            let (whole_items, whole_constant) = (rounded(&items), rounded(&constant));
            check(gpu, Binary::new(op), &[items.clone(), constant.clone()], CLOSE);
            check(gpu, Binary::new(op), &[constant, items], CLOSE);
            check(gpu, Binary::new(op), &[whole_items, whole_constant], CLOSE);
        }
    });
}

/// Whole numbers from -6 to 6.
fn rounded(input: &Input) -> Input {
    let round = |values: &ArrayD<f32>| values.mapv(|value| (value * 3.0).round());
    match input {
        Input::Items(items) => Input::Items(items.iter().map(round).collect()),
        Input::Constant(values) => Input::Constant(round(values)),
        derived => derived.clone(),
    }
}

#[test]
fn functions_of_two_values_agree_on_odd_values_too() {
    cases_on_device(1, |gpu, _| {
        let mut odd = odd_values();
        odd.extend([3.0, -3.0, 7.0, -7.0]);
        for op in BINARY {
            let (a, b) = (filled(&[odd.len(), 1], &odd), filled(&[odd.len()], &odd));
            check(gpu, Binary::new(op), &[item(a), Input::Constant(b)], within(4e-5));
        }
    });
}

#[test]
fn whole_powers_of_negative_numbers_are_exact_on_a_device() {
    cases_on_device(1, |gpu, _| {
        let bases = filled(&[6], &[-2.0, -3.0, 2.0, -1.0, 10.0, -0.5]);
        for exponent in [0.0, 1.0, 2.0, 3.0, 7.0, -1.0, -2.0] {
            let exponent = Input::Constant(filled(&[], &[exponent]));
            check(gpu, Binary::new(BinaryOp::Pow), &[item(bases.clone()), exponent], within(2e-7));
        }
    });
}

#[test]
fn functions_of_two_activations_take_each_item_with_its_own() {
    cases_on_device(6, |gpu, n| {
        let ([a, b], items) = (shapes_together(n), n.pick(1, 3));
        let activations = [a, b].map(|shape| Input::Items(n.batch(items, &shape)));
        check(gpu, Binary::new(BinaryOp::Sub), &activations, CLOSE);
    });
}

#[test]
fn flags_choose_between_two_values() {
    let flags = filled(&[2, 1], &[1.0, 0.0]);
    let (a, b) = (filled(&[3], &[1.0, f32::NAN, 3.0]), filled(&[], &[f32::INFINITY]));
    let chosen = twin(&Select::new(), &[&flags, &a, &b]);
    assert!(chosen[[0, 0]] == 1.0 && chosen[[0, 1]].is_nan() && chosen[[0, 2]] == 3.0);
    assert!(chosen.index_axis(Axis(0), 1).iter().all(|value| *value == f32::INFINITY));
}

#[test]
fn flags_choose_the_same_on_a_device() {
    cases_on_device(8, |gpu, n| {
        let ([flags, a, b], items) = (shapes_together(n), n.pick(1, 3));
        let flags = n.floats(&flags).mapv(|value| value.round().max(0.0));
        let [a, b] = [a, b].map(|shape| Input::Items(n.batch(items, &shape)));
        check(gpu, Select::new(), &[Input::Constant(flags), a.clone(), b], EXACT);
        let odd = Input::Constant(filled(&[4, 1, 1, 1, 1, 1, 1], &[0.0, -0.0, f32::NAN, -1.0]));
        check(gpu, Select::new(), &[odd, n.constant(&[]), a], EXACT);
    });
}

#[test]
fn functions_of_two_values_refuse_what_does_not_go_together() {
    refused(
        &Binary::add(),
        &[Spec::floats(&[4, 3]), Spec::constant(&[4])],
        "b is an f32 constant [4]; axes of 1 or of the length that a, [4, 3], has would fit",
    );
    refused(
        &Binary::add(),
        &[Spec::constant(&[3]), Spec::constant(&[3])],
        "b is an f32 constant [3]; an activation would fit, since a is a constant too",
    );
    let alternating: Vec<usize> = (0..10).map(|axis| 1 + axis % 2).collect();
    let other: Vec<usize> = (0..10).map(|axis| 2 - axis % 2).collect();
    refused(
        &Binary::add(),
        &[Spec::floats(&alternating), Spec::floats(&other)],
        "the shapes ask for 10 nested loops; up to 8 would fit",
    );
}
