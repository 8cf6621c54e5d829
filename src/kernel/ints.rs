//! Whole numbers of 32 bits, of which the least stands for one that they do not hold (`shaders/shared/ints.wgsl`).

/// A number that 32 bits do not hold, and what is computed with one.
pub(crate) const NONE: i32 = i32::MIN;

/// Both after an operation that says where it has no result.
pub(super) fn checked(one: i32, other: i32, op: impl Fn(i32, i32) -> Option<i32>) -> i32 {
    if one == NONE || other == NONE {
        return NONE;
    }
    op(one, other).unwrap_or(NONE)
}

/// The low bits of a number, from 8 to 32, as a signed or an unsigned number.
pub(super) fn wrapped(value: i32, bits: u32, signed: bool) -> i32 {
    let away = 32 - bits;
    let low = value << away;
    let wrapped = if signed { low >> away } else { (low as u32 >> away) as i32 };
    if value == NONE || (!signed && wrapped < 0) { NONE } else { wrapped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_stays_none() {
        assert_eq!(checked(NONE, 1, i32::checked_add), NONE);
        assert_eq!(checked(i32::MAX, 1, i32::checked_add), NONE);
        assert_eq!(checked(1 << 24, 1, i32::checked_add), (1 << 24) + 1);
    }

    #[test]
    fn low_bits_start_again_at_the_other_end() {
        assert_eq!(
            [wrapped(200, 8, true), wrapped(-1, 8, false), wrapped(70_000, 16, false)],
            [-56, 255, 4464]
        );
        assert_eq!([wrapped(-5, 32, true), wrapped(-5, 32, false), wrapped(NONE, 8, true)], [-5, NONE, NONE]);
    }
}
