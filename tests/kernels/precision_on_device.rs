//! What computing with 16-bit floats costs is bounded, and nothing where they hold what is computed.

use gapless::kernel::{Conv2d, Kernel, MatMul, Precision};
use gapless::{Gpu, Program};
use ndarray::{ArrayD, IxDyn};

use crate::check::{cases_on_device, compare, device_with_shaders, output};
use crate::common::device;
use crate::halves::{Case, Halves};
use crate::near::{EXACT, Near, SUMS, assert_near};
use crate::numbers::Numbers;

const ROUNDED: [Precision; 2] = [Precision::Mixed, Precision::Half];

/// What a value may be off by, as a share of the sum of its products' sizes.
fn share(precision: Precision) -> f32 {
    match precision {
        Precision::Full => 0.0,
        Precision::Mixed => 1.0 / 1024.0,
        _ => 1.0 / 59.0,
    }
}

/// The variants of this precision, of which there are some where the device computes with halves.
fn variants<K: Kernel + Copy>(gpu: &Gpu, case: &Case<K>, precision: Precision) -> Vec<usize> {
    let variants = case.variants(gpu, precision);
    assert_eq!(!variants.is_empty(), gpu.limits().f16, "{:?} of {:?}", case.kernel, case.item);
    variants
}

/// The twin in f32.
fn twin<K: Kernel + Copy>(case: &Case<K>) -> Program {
    case.program(&Gpu::cpu(), false, 0)
}

/// The sizes of what the twin gives for a constant and a batch that were changed so.
fn sizes<K: Kernel + Copy>(
    case: &Case<K>,
    bits: impl Fn(u16) -> u16,
    batch: &[ArrayD<f32>],
    value: impl Fn(f32) -> f32,
) -> ArrayD<f32> {
    let constant = Halves::new(case.constant.bits.mapv(|half| bits(half & 0x7fff)));
    let changed = Case { constant, bias: None, item: case.item.clone(), ..*case };
    output(&mut twin(&changed), &batch.iter().map(|x| x.mapv(|x| value(x.abs()))).collect::<Vec<_>>())
}

/// Both variants that round give the twin's value up to their bound, and for every item alone the very same.
fn check_bounds<K: Kernel + Copy>(gpu: &Gpu, case: &Case<K>, batch: &[ArrayD<f32>]) {
    const ONE: u16 = 0x3c00;
    let products = sizes(case, |half| half, batch, |x| x);
    let factors = sizes(case, |half| half, batch, |_| 1.0) + sizes(case, |_| ONE, batch, |x| x);
    let count = sizes(case, |_| ONE, batch, |_| 1.0);
    let wanted = output(&mut twin(case), batch);
    for precision in ROUNDED {
        let each = if precision == Precision::Half { 2.0 } else { 0.0 };
        let smallest = (-14_f32).exp2();
        let most = &products * (share(precision) + 1e-5) + (&factors + &count * each) * smallest;
        for variant in variants(gpu, case, precision) {
            let given = output(&mut case.program(gpu, true, variant), batch);
            let what = format!("{precision:?} of {:?}", case.kernel);
            for ((given, wanted), most) in given.iter().zip(&wanted).zip(&most) {
                assert!((given - wanted).abs() <= *most, "{what}: {given} is not {wanted} within {most}");
            }
            compare(&mut case.program(gpu, true, variant), batch, &given, EXACT, &what);
        }
    }
}

#[test]
fn rounding_to_halves_costs_no_more_than_its_bound() {
    cases_on_device(6, |gpu, n| {
        let (groups, [share]) = (n.pick(1, 2), n.sizes(8, 40));
        let outputs = groups * n.pick(16, 40);
        let (kernel, pads) =
            if n.pick(0, 1) == 1 { ([1, 1], [0; 4]) } else { (n.picks(1, 3), n.picks(0, 2)) };
        let weight = Halves::some(n, &[outputs, share, kernel[0], kernel[1]]);
        let item = [groups * share, n.pick(6, 12), [8, n.pick(6, 12)][n.pick(0, 1)]];
        let case = Case::new(Conv2d::new().groups(groups).pads(pads), &item, weight);
        check_bounds(gpu, &case, &n.batch(2, &case.item));
        for constant_first in [false, true] {
            let ([m, k, j], turn) = (n.sizes(16, 92), [n.pick(0, 1) == 1, n.pick(0, 1) == 1]);
            let turned = |sizes: [usize; 2], turn: bool| if turn { [sizes[1], sizes[0]] } else { sizes };
            let (a, b) = (turned([m, k], turn[0]), turned([k, j], turn[1]));
            let (item, fixed) = if constant_first { (b, a) } else { (a, b) };
            let product = MatMul::new().transpose_a(turn[0]).transpose_b(turn[1]);
            let mut case = Case { constant_first, ..Case::new(product, &item, Halves::some(n, &fixed)) };
            case.bias = (n.pick(0, 1) == 1).then(|| n.floats(&[j]));
            check_bounds(gpu, &case, &n.batch(2, &case.item));
        }
    });
}

#[test]
fn rounding_small_values_to_halves_costs_no_more_than_its_bound() {
    cases_on_device(3, |gpu, n| {
        let [m, k, j] = n.sizes(16, 92);
        // From 2^-15 to 2^-6 and less: many products are no halves with all their digits.
        let bits = ArrayD::from_shape_simple_fn(IxDyn(&[k, j]), || n.pick(0, 0x2400) as u16);
        let case = Case::new(MatMul::new(), &[m, k], Halves::new(bits));
        let batch: Vec<_> = n.batch(2, &case.item).into_iter().map(|x| x * 5e-3).collect();
        check_bounds(gpu, &case, &batch);
    });
}

#[test]
fn products_of_halves_are_exact_in_mixed_precision() {
    cases_on_device(6, |gpu, n| {
        let [m, k, j]: [usize; 3] = n.sizes(16, 92);
        let case = Case::new(MatMul::new(), &[m, k], Halves::some(n, &[k, j]));
        let batch = [Halves::some(n, &case.item).floats];
        let wanted = output(&mut twin(&case), &batch);
        for variant in variants(gpu, &case, Precision::Mixed) {
            compare(&mut case.program(gpu, true, variant), &batch, &wanted, SUMS, "products of halves");
        }
    });
}

/// So many terms of this value on both sides, 16 rows by 16 columns.
fn all_of(value: f32, bits: u16, terms: usize) -> (Case<MatMul>, ArrayD<f32>) {
    let weight = Halves::new(ArrayD::from_elem(IxDyn(&[terms, 16]), bits));
    assert_eq!(weight.floats[[0, 0]], value);
    let item = ArrayD::from_elem(IxDyn(&[16, terms]), value);
    (Case::new(MatMul::new(), item.shape(), weight), item)
}

#[test]
fn a_product_is_rounded_in_half_precision_alone() {
    let Some(gpu) = device_with_shaders() else { return };
    // The square of 1 + 1/1024 lies between two halves.
    let (case, item) = all_of(1.0 + 1.0 / 1024.0, 0x3c01, 8);
    let exact = output(&mut twin(&case), std::slice::from_ref(&item));
    let given = |variant| output(&mut case.program(&gpu, true, variant), std::slice::from_ref(&item));
    for variant in variants(&gpu, &case, Precision::Mixed) {
        assert_near(&given(variant), &exact, EXACT, "mixed");
    }
    for variant in variants(&gpu, &case, Precision::Half) {
        let (given, exact) = (given(variant)[[0, 0, 0]], exact[[0, 0, 0]]);
        // From eight to sixteen, halves are 1/128 apart.
        assert!(given != exact && (given * 128.0).fract() == 0.0, "{given} for {exact}");
    }
}

#[test]
fn sums_of_whole_numbers_are_exact_far_beyond_the_largest_half() {
    let Some(gpu) = device() else { return };
    let (case, item) = all_of(8.0, 0x4800, 4096);
    for variant in ROUNDED.into_iter().flat_map(|precision| variants(&gpu, &case, precision)) {
        let given = output(&mut case.program(&gpu, true, variant), std::slice::from_ref(&item));
        let wanted = ArrayD::from_elem(given.raw_dim(), 64.0 * 4096.0);
        assert_near(&given, &wanted, EXACT, "4,096 times 64");
    }
}

#[test]
fn nan_and_infinity_are_no_other_as_halves() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(8);
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (case, _) = all_of(1.0, 0x3c00, 8);
        let mut item = n.floats(&case.item);
        item[[3, 5]] = odd;
        let wanted = output(&mut twin(&case), std::slice::from_ref(&item));
        for variant in ROUNDED.into_iter().flat_map(|precision| variants(&gpu, &case, precision)) {
            let given = output(&mut case.program(&gpu, true, variant), std::slice::from_ref(&item));
            assert_near(&given, &wanted, Near::Largest(1e-2), &odd.to_string());
        }
    }
}

#[test]
fn the_bound_of_half_precision_is_counted_from_the_terms_that_are_added_as_halves() {
    let tiled = include_str!("../../shaders/shared/tiled.wgsl");
    let terms = tiled.lines().find_map(|line| line.strip_prefix("const TERMS = ")?.strip_suffix("u;"));
    let roundings = terms.expect("the tile has terms").parse::<i32>().expect("a number") + 1;
    let grown = (1.0 + 1.0 / 1024.0_f64).powi(roundings) - 1.0;
    assert!(roundings == 17 && grown < f64::from(share(Precision::Half)), "{roundings} roundings: {grown}");
}
