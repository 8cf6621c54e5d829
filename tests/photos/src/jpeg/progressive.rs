//! The bands of progressive scans.

use crate::jpeg::dct::Block;
use crate::jpeg::layout::Scan;
use crate::jpeg::scans::{Item, bits, size};

/// Writes one band of one component, block by block.
pub(crate) struct Bands {
    first: usize,
    last: usize,
    low: u8,
    slot: u8,
    /// How many blocks that end here have not been written yet.
    run: u32,
    run_limit: u32,
    /// The correction bits of those blocks.
    corrections: Vec<Item>,
}

impl Bands {
    pub(crate) fn new(scan: &Scan, run_limit: u32) -> Self {
        let slot = scan.tables[0].1;
        Self {
            first: scan.first,
            last: scan.last,
            low: scan.low,
            slot,
            run: 0,
            run_limit,
            corrections: Vec::new(),
        }
    }

    /// Writes the band for the first time.
    pub(crate) fn begin(&mut self, items: &mut Vec<Item>, block: &Block) {
        let mut zeros = 0;
        for &level in &block[self.first..=self.last] {
            let level = level.signum() * (level.abs() >> self.low);
            if level == 0 {
                zeros += 1;
                continue;
            }
            self.flush(items);
            while zeros > 15 {
                items.push(self.symbol(0xF0));
                zeros -= 16;
            }
            items.push(self.symbol(zeros << 4 | size(level) as u8));
            items.push(bits(level));
            zeros = 0;
        }
        if zeros > 0 {
            self.end_block(items);
        }
    }

    /// Writes the next bit of the band.
    pub(crate) fn refine(&mut self, items: &mut Vec<Item>, block: &Block) {
        let level = |place: usize| block[place].abs() >> self.low;
        let (first, last) = (self.first, self.last);
        let last_new = (first..=last).rev().find(|&place| level(place) == 1).unwrap_or(0);
        let levels: Vec<i32> = (first..=last).map(level).collect();
        let mut zeros = 0;
        let mut corrections = Vec::new();
        for (place, level) in (first..=last).zip(levels) {
            if level == 0 {
                zeros += 1;
                continue;
            }
            while zeros > 15 && place <= last_new {
                self.flush(items);
                items.push(self.symbol(0xF0));
                items.append(&mut corrections);
                zeros -= 16;
            }
            if level > 1 {
                corrections.push(Item::Bits(level as u32 & 1, 1));
                continue;
            }
            self.flush(items);
            items.push(self.symbol(zeros << 4 | 1));
            items.push(Item::Bits(u32::from(block[place] > 0), 1));
            items.append(&mut corrections);
            zeros = 0;
        }
        if zeros > 0 || !corrections.is_empty() {
            self.corrections.append(&mut corrections);
            self.end_block(items);
        }
    }

    /// Writes the blocks that ended.
    pub(crate) fn flush(&mut self, items: &mut Vec<Item>) {
        if self.run > 0 {
            let size = self.run.ilog2();
            items.push(self.symbol((size as u8) << 4));
            items.push(Item::Bits(self.run, size));
            items.append(&mut self.corrections);
            self.run = 0;
        }
    }

    fn end_block(&mut self, items: &mut Vec<Item>) {
        self.run += 1;
        if self.run == self.run_limit {
            self.flush(items);
        }
    }

    fn symbol(&self, symbol: u8) -> Item {
        Item::Symbol { ac: true, slot: self.slot, symbol }
    }
}
