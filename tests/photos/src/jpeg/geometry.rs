//! How many samples and blocks there are, and which block comes when.

use crate::jpeg::layout::{Layout, Scan};

/// The extent of one component.
pub(crate) struct Extent {
    /// Samples that belong to the picture.
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Blocks with at least one of them: what a scan of this component alone holds.
    pub(crate) blocks_across: usize,
    pub(crate) blocks_down: usize,
    /// Blocks of whole interleaved units.
    pub(crate) stored_across: usize,
    pub(crate) stored_down: usize,
}

/// The extent of each component.
pub(crate) fn extents(layout: &Layout) -> Vec<Extent> {
    let (most_across, most_down) = layout.most();
    let units_across = layout.width.div_ceil(8 * most_across);
    let units_down = layout.height.div_ceil(8 * most_down);
    let extent = |across: usize, down: usize| {
        let width = (layout.width * across).div_ceil(most_across);
        let height = (layout.height * down).div_ceil(most_down);
        Extent {
            width,
            height,
            blocks_across: width.div_ceil(8),
            blocks_down: height.div_ceil(8),
            stored_across: units_across * across,
            stored_down: units_down * down,
        }
    };
    layout.components.iter().map(|component| extent(component.across, component.down)).collect()
}

/// How many units are in a row of a scan of these components.
pub(crate) fn units_across(layout: &Layout, components: &[usize]) -> usize {
    match components {
        [alone] => extents(layout)[*alone].blocks_across,
        _ => layout.width.div_ceil(8 * layout.most().0),
    }
}

/// The units of a scan in their order; each has its blocks, as the place of the component in the scan and the
/// place of the block in the component.
pub(crate) fn units(layout: &Layout, scan: &Scan) -> Vec<Vec<(usize, usize)>> {
    let extents = extents(layout);
    let mut units = Vec::new();
    if let [alone] = scan.components[..] {
        let extent = &extents[alone];
        for row in 0..extent.blocks_down {
            units.extend(
                (0..extent.blocks_across).map(|column| vec![(0, row * extent.stored_across + column)]),
            );
        }
        return units;
    }
    let (most_across, most_down) = layout.most();
    for unit_row in 0..layout.height.div_ceil(8 * most_down) {
        for unit_column in 0..layout.width.div_ceil(8 * most_across) {
            let mut unit = Vec::new();
            for (place, &index) in scan.components.iter().enumerate() {
                let component = &layout.components[index];
                for row in unit_row * component.down..(unit_row + 1) * component.down {
                    let start = row * extents[index].stored_across + unit_column * component.across;
                    unit.extend((start..start + component.across).map(|block| (place, block)));
                }
            }
            units.push(unit);
        }
    }
    units
}
