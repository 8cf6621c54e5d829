//! The border of one axis.

use super::PadMode;
use crate::error::Cause;
use crate::kernel::rule;

/// An axis of which something is cut off, and what is inside then gets a border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Border {
    /// Places cut off at the start.
    pub(super) cut: usize,
    pub(super) inside: usize,
    pub(super) before: usize,
    after: usize,
}

impl Border {
    pub(super) fn new(len: usize, before: i64, after: i64) -> Result<Self, Cause> {
        let cut = |border: i64| if border < 0 { border.unsigned_abs() as usize } else { 0 };
        let added = |border: i64| usize::try_from(border).unwrap_or_default();
        let inside = len.saturating_sub(cut(before)).saturating_sub(cut(after));
        let border = Self { cut: cut(before), inside, before: added(before), after: added(after) };
        if inside == 0 {
            let reason = format!("borders of {before} and {after} leave nothing of an axis of {len}");
            return Err(Cause::msg(format!("{reason}; cutting off less than {len} would fit")));
        }
        if border.len() > rule::MOST {
            let reason = format!("borders of {before} and {after} around {len}");
            return Err(Cause::msg(format!("{reason}; an axis up to 2^30 would fit")));
        }
        Ok(border)
    }

    /// Places of the axis with its border.
    pub(super) fn len(&self) -> usize {
        self.inside.saturating_add(self.before).saturating_add(self.after)
    }

    /// Where each place comes from; `None` where the border is a value of its own.
    pub(super) fn sources(&self, mode: PadMode) -> Vec<Option<usize>> {
        let inside = self.inside as i64;
        let source = |place: i64| match mode {
            PadMode::Constant(_) => (0..inside).contains(&place).then_some(place),
            PadMode::Edge => Some(place.clamp(0, inside - 1)),
            PadMode::Reflect => {
                let period = (2 * (inside - 1)).max(1);
                let place = place.rem_euclid(period);
                Some(place.min(period - place))
            }
            PadMode::Wrap => Some(place.rem_euclid(inside)),
        };
        let places = (0..self.len() as i64).map(|place| source(place - self.before as i64));
        places.map(|source| source.map(|source| source as usize + self.cut)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(len: usize, before: i64, after: i64, mode: PadMode) -> Vec<Option<usize>> {
        Border::new(len, before, after).unwrap().sources(mode)
    }

    #[test]
    fn borders_are_what_numpy_makes() {
        let some = |values: &[usize]| values.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(sources(3, 5, 5, PadMode::Edge), some(&[0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2]));
        assert_eq!(sources(3, 5, 5, PadMode::Reflect), some(&[1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]));
        assert_eq!(sources(3, 5, 5, PadMode::Wrap), some(&[1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]));
        assert_eq!(sources(1, 2, 1, PadMode::Reflect), some(&[0; 4]));
        assert_eq!(sources(2, 1, 1, PadMode::Constant(7.0)), [None, Some(0), Some(1), None]);
    }

    #[test]
    fn what_is_cut_off_is_in_no_border() {
        assert_eq!(sources(5, -1, 2, PadMode::Edge), [1, 2, 3, 4, 4, 4].map(Some));
        assert_eq!(sources(5, 2, -2, PadMode::Reflect), [2, 1, 0, 1, 2].map(Some));
        assert_eq!(sources(5, -1, -3, PadMode::Wrap), [Some(1)]);
    }

    #[test]
    fn borders_that_cannot_work_are_errors_and_no_panics() {
        for (before, after) in [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX), (-2, -3), (-5, 9), (1 << 30, 0)] {
            assert!(Border::new(5, before, after).is_err(), "{before} and {after}");
        }
    }
}
