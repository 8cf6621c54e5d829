//! How near values have to be to those that are wanted.

use ndarray::ArrayD;

/// What a value may differ by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Near {
    /// This share of the largest value.
    Largest(f32),
    /// This share of the value, or of `floor` where that is more.
    Each { share: f32, floor: f32 },
}

/// Sums in another order.
pub(crate) const SUMS: Near = Near::Largest(1e-5);

/// No difference at all.
pub(crate) const EXACT: Near = within(0.0);

/// A difference of no more than this share of each value.
pub(crate) const fn within(share: f32) -> Near {
    Near::Each { share, floor: 0.1 }
}

/// NaN at the same places, and values as near as it is asked for.
#[track_caller]
pub(crate) fn assert_near(given: &ArrayD<f32>, wanted: &ArrayD<f32>, near: Near, what: &str) {
    assert_eq!(given.shape(), wanted.shape(), "{what}");
    let finite = wanted.iter().filter(|value| value.is_finite());
    let largest = finite.fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let tolerance = |wanted: f32| match near {
        Near::Largest(share) => share * largest,
        Near::Each { share, floor } => share * wanted.abs().max(floor),
    };
    for (index, (a, b)) in given.iter().zip(wanted).enumerate() {
        let same = a == b || (a.is_nan() && b.is_nan()) || (b.is_finite() && (a - b).abs() <= tolerance(*b));
        assert!(same, "{what}: {a} is not {b} at {index} of {:?}", wanted.shape());
    }
}

/// Compares what a twin gives with its definition, computed term by term.
#[track_caller]
pub(crate) fn assert_near_definition(twin: &ArrayD<f32>, definition: &ArrayD<f32>) {
    assert_near(twin, definition, Near::Each { share: 1e-4, floor: 1.0 }, "not as defined");
}
