//! How often the loops of a shader run, for devices that end a loop unasked.

/// Rounds of loops within each other, the outermost first. Each loop has one more, in which it finds its end.
pub(super) fn nested(loops: &[usize]) -> u32 {
    let around = |inner: u64, &count: &usize| (count as u64).saturating_mul(inner + 1).saturating_add(1);
    let rounds = loops.iter().rev().fold(0, around);
    rounds.try_into().unwrap_or(u32::MAX)
}

/// Rounds of a power (`shaders/shared/power.wgsl`), whose exponent has seven bits.
pub(super) const POWER: u32 = 8;

/// Rounds of a power of whole numbers (`shaders/shared/binary_ints.wgsl`), whose exponent has 31 bits.
pub(super) const POWER_OF_INTS: u32 = 32;

/// Rounds of loops one after the other.
pub(super) fn all(loops: &[u32]) -> u32 {
    loops.iter().fold(0, |all, rounds| all.saturating_add(*rounds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loop_has_a_round_for_its_end() {
        assert_eq!(nested(&[]), 0);
        assert_eq!(nested(&[5]), 6);
        // Two times the three of the inner one and the end of it, and the outer one's own.
        assert_eq!(nested(&[2, 3]), 2 * (3 + 1 + 1) + 1);
        assert_eq!(nested(&[2, 3, 4]), 2 * (3 * (4 + 1 + 1) + 1 + 1) + 1);
    }

    #[test]
    fn more_than_can_be_counted_is_the_most_that_can() {
        assert_eq!(nested(&[usize::MAX, 7, 1 << 30]), u32::MAX);
        assert_eq!(all(&[u32::MAX, 1]), u32::MAX);
        assert_eq!(all(&[7, 1]), 8);
    }
}
