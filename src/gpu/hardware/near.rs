//! What two ways to compute the same may differ by.

use crate::kernel::half::from_f16;
use crate::kernel::{Element, Precision};

/// How what a variant gives is off, if it is: more than sums in another order, and values kept in fewer bits, explain.
pub(super) fn off(wanted: &[u32], given: &[u32], element: Element, precision: Precision) -> Option<String> {
    let pairs = wanted.iter().zip(given);
    if element == Element::I32 {
        let other = pairs.clone().find(|(wanted, given)| wanted != given);
        return other.map(|(wanted, given)| format!("it gives {} and not {}", *given as i32, *wanted as i32));
    }
    if element == Element::F16 {
        let [wanted, given] = [wanted, given].map(widened);
        return off(&wanted, &given, Element::F32, precision.max(Precision::Mixed));
    }
    let share = match precision {
        Precision::Full => 1e-4,
        Precision::Mixed => 2e-3,
        Precision::Half => 2e-2,
    };
    let finite = wanted.iter().map(|&bits| f32::from_bits(bits)).filter(|value| value.is_finite());
    let largest = finite.fold(0.0_f32, |largest, value| largest.max(value.abs()));
    pairs.map(|(&wanted, &given)| [wanted, given].map(f32::from_bits)).find_map(|[wanted, given]| {
        let near = (wanted - given).abs() <= share * largest;
        let same = wanted == given || (wanted.is_nan() && given.is_nan());
        (!near && !same).then(|| format!("it gives {given} and not {wanted}"))
    })
}

/// Halves, two in a word, as floats.
fn widened(words: &[u32]) -> Vec<u32> {
    let halves = words.iter().flat_map(|word| [*word as u16, (word >> 16) as u16]);
    halves.map(|bits| from_f16(bits).to_bits()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_in_another_order_are_near_and_all_else_is_off() {
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let is_off = |wanted: &[f32], given: &[f32], precision| {
            off(&bits(wanted), &bits(given), Element::F32, precision).is_some()
        };
        assert!(!is_off(&[1.0, 100.0], &[1.005, 100.0], Precision::Full));
        assert!(is_off(&[1.0, 100.0], &[1.05, 100.0], Precision::Full));
        assert!(!is_off(&[1.0, 100.0], &[1.05, 100.0], Precision::Mixed));
        assert!(is_off(&[1.0], &[f32::NAN], Precision::Half) && is_off(&[f32::NAN], &[1.0], Precision::Half));
        assert!(!is_off(&[f32::NAN, f32::INFINITY], &[f32::NAN, f32::INFINITY], Precision::Full));
        assert!(off(&[1], &[2], Element::I32, Precision::Half).is_some());
    }
}
