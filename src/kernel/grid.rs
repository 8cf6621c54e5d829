//! How many workgroups a dispatch has in x and y.

/// Most workgroups in one dimension that every device allows (WebGPU's default limit).
pub(super) const MOST: u32 = 65_535;

/// Workgroups in x and y that hold `groups` workgroups in a row.
///
/// Up to [`MOST`] they stand in x alone. Above, they are folded: at least `groups` in all, fewer than
/// one y too many, and `y * num_workgroups.x + x` (`shaders/shared/linear.wgsl`) is a group's place in
/// the row. A shader returns early where its place is past the end. `groups` is at least 1.
pub(super) fn fold(groups: u32) -> [u32; 2] {
    let y = groups.div_ceil(MOST);
    [groups.div_ceil(y), y]
}

/// Workgroups for `work` invocations, `size` of them in one workgroup.
pub(super) fn cover(work: usize, size: u32) -> [u32; 2] {
    fold((work as u32).div_ceil(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_up_to_the_limit_stand_in_x_alone() {
        assert_eq!(fold(1), [1, 1]);
        assert_eq!(fold(MOST), [MOST, 1]);
    }

    #[test]
    fn groups_above_the_limit_are_folded_with_less_than_one_row_to_spare() {
        assert_eq!(fold(MOST + 1), [32_768, 2]);
        for groups in [2 * MOST - 1, 2 * MOST, 2 * MOST + 1, 1 << 28, u32::MAX / 64] {
            let [x, y] = fold(groups);
            assert!(x <= MOST && y <= MOST, "{groups} gives {x} x {y}");
            let there = u64::from(x) * u64::from(y);
            assert!((u64::from(groups)..u64::from(groups) + u64::from(y)).contains(&there), "{groups}");
        }
    }

    #[test]
    fn the_last_group_may_be_partly_used() {
        assert_eq!(cover(256, 256), [1, 1]);
        assert_eq!(cover(257, 256), [2, 1]);
    }
}
