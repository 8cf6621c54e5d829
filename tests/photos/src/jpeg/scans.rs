//! What a scan says, before Huffman tables make bits of it.

use crate::jpeg::dct::Block;
use crate::jpeg::geometry::units;
use crate::jpeg::layout::{Layout, Process, Scan};
use crate::jpeg::progressive::Bands;

/// A part of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    /// A symbol of the table of this class and slot.
    Symbol {
        ac: bool,
        slot: u8,
        symbol: u8,
    },
    /// So many bits as they are.
    Bits(u32, u32),
    Restart,
}

/// How many bits a number has, without its sign.
pub(crate) fn size(number: i32) -> u32 {
    32 - number.unsigned_abs().leading_zeros()
}

/// The bits of a number behind the symbol that tells how many they are: one less where it is negative.
pub(crate) fn bits(number: i32) -> Item {
    Item::Bits((if number < 0 { number - 1 } else { number }) as u32, size(number))
}

/// The parts of one scan of the file.
pub(crate) fn items(layout: &Layout, blocks: &[Vec<Block>], scan: &Scan) -> Vec<Item> {
    let mut items = Vec::new();
    let mut predicted = vec![0; scan.components.len()];
    let mut bands = Bands::new(scan, layout.run_limit);
    for (count, unit) in units(layout, scan).into_iter().enumerate() {
        if scan.restart > 0 && count > 0 && count % scan.restart == 0 {
            bands.flush(&mut items);
            items.push(Item::Restart);
            predicted.fill(0);
        }
        for (place, index) in unit {
            let block = &blocks[scan.components[place]][index];
            let (dc, ac) = scan.tables[place];
            match (layout.process, scan.first, scan.high) {
                (Process::Progressive, 0, 0) => {
                    difference(&mut items, &mut predicted[place], block[0] >> scan.low, dc);
                }
                (Process::Progressive, 0, _) => items.push(Item::Bits((block[0] >> scan.low) as u32 & 1, 1)),
                (Process::Progressive, _, 0) => bands.begin(&mut items, block),
                (Process::Progressive, _, _) => bands.refine(&mut items, block),
                _ => {
                    difference(&mut items, &mut predicted[place], block[0], dc);
                    sequential(&mut items, block, ac);
                }
            }
        }
    }
    bands.flush(&mut items);
    items
}

fn difference(items: &mut Vec<Item>, predicted: &mut i32, level: i32, slot: u8) {
    let difference = level - *predicted;
    *predicted = level;
    items.push(Item::Symbol { ac: false, slot, symbol: size(difference) as u8 });
    items.push(bits(difference));
}

fn sequential(items: &mut Vec<Item>, block: &Block, slot: u8) {
    let mut zeros = 0;
    for &level in &block[1..] {
        if level == 0 {
            zeros += 1;
            continue;
        }
        while zeros > 15 {
            items.push(Item::Symbol { ac: true, slot, symbol: 0xF0 });
            zeros -= 16;
        }
        items.push(Item::Symbol { ac: true, slot, symbol: zeros << 4 | size(level) as u8 });
        items.push(bits(level));
        zeros = 0;
    }
    if zeros > 0 {
        items.push(Item::Symbol { ac: true, slot, symbol: 0 });
    }
}
