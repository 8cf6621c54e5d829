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
        Precision::Half => 1.0 / 59.0,
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

/// Both variants that round give the twin's value up to their bound.
fn check_bounds<K: Kernel + Copy>(gpu: &Gpu, case: &Case<K>, n: &mut Numbers) {
    let positive = Halves::new(case.constant.bits.mapv(|bits| bits & 0x7fff));
    let sizes = Case { constant: positive, bias: None, item: case.item.clone(), ..*case };
    let batch = n.batch(2, &case.item);
    let size = output(&mut twin(&sizes), &batch.iter().map(|x| x.mapv(f32::abs)).collect::<Vec<_>>());
    let wanted = output(&mut twin(case), &batch);
    let rounded = ROUNDED
        .map(|precision| variants(gpu, case, precision).into_iter().map(move |variant| (precision, variant)));
    for (precision, variant) in rounded.into_iter().flatten() {
        let given = output(&mut case.program(gpu, true, variant), &batch);
        for ((given, wanted), size) in given.iter().zip(&wanted).zip(&size) {
            let most = (share(precision) + 1e-5) * size;
            let off = (given - wanted).abs();
            assert!(off <= most, "{precision:?} of {:?}: {given} is not {wanted} within {most}", case.kernel);
        }
    }
}

#[test]
fn rounding_to_halves_costs_no_more_than_its_bound() {
    cases_on_device(6, |gpu, n| {
        let (outputs, [channels]) = (n.pick(16, 70), n.sizes(8, 40));
        let (kernel, pads) =
            if n.pick(0, 1) == 1 { ([1, 1], [0; 4]) } else { (n.picks(1, 3), n.picks(0, 2)) };
        let weight = Halves::some(n, &[outputs, channels, kernel[0], kernel[1]]);
        let case = Case::new(
            Conv2d::new().pads(pads),
            &[channels, n.pick(6, 12), [8, n.pick(6, 12)][n.pick(0, 1)]],
            weight,
        );
        check_bounds(gpu, &case, n);
        let [m, k, j]: [usize; 3] = n.sizes(16, 92);
        let mut case = Case::new(MatMul::new(), &[m, k], Halves::some(n, &[k, j]));
        case.bias = Some(n.floats(&[j]));
        check_bounds(gpu, &case, n);
        let case =
            Case { constant_first: true, ..Case::new(MatMul::new(), &[k, j], Halves::some(n, &[m, k])) };
        check_bounds(gpu, &case, n);
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
