//! Which Huffman tables the scans have.

use std::collections::BTreeMap;

use crate::jpeg::huffman::Table;
use crate::jpeg::layout::{Huffman, Layout, Process};
use crate::jpeg::scans::Item;
use crate::random::Random;

/// Tables by class (whether AC) and slot.
pub(crate) type Tables = BTreeMap<(bool, u8), Table>;

/// The tables of each scan.
pub(crate) fn tables(layout: &Layout, scans: &[Vec<Item>]) -> Vec<Tables> {
    let mut random = Random::new(layout.seed, 4);
    // A decoder of the baseline has two slots of each class; luma's table is in the first one unless all is odd.
    let swapped = !layout.plain && random.chance(25);
    let uses: Vec<BTreeMap<(bool, u8), [u64; 256]>> = match layout.huffman {
        Huffman::File => {
            let together = count(scans.iter().flatten());
            scans
                .iter()
                .map(|items| count(items).into_keys().map(|key| (key, together[&key])).collect())
                .collect()
        }
        _ => scans.iter().map(count).collect(),
    };
    let mut table = |(ac, slot): (bool, u8), often: &[u64; 256]| match layout.huffman {
        Huffman::Standard => Table::standard(ac, (slot % 2 == 1) != swapped),
        Huffman::Scan | Huffman::File => Table::best(often),
        Huffman::Odd => Table::best(&odd(layout, ac, often, &mut random)),
    };
    uses.iter().map(|uses| uses.iter().map(|(key, often)| (*key, table(*key, often))).collect()).collect()
}

fn count<'a>(items: impl IntoIterator<Item = &'a Item>) -> BTreeMap<(bool, u8), [u64; 256]> {
    let mut uses = BTreeMap::new();
    for item in items {
        if let Item::Symbol { ac, slot, symbol } = *item {
            uses.entry((ac, slot)).or_insert([0; 256])[usize::from(symbol)] += 1;
        }
    }
    uses
}

/// As if the symbols came otherwise than they do, and others too that the class knows.
fn odd(layout: &Layout, ac: bool, often: &[u64; 256], random: &mut Random) -> [u64; 256] {
    let others = random.pick(&[0, 0, 10, 50, 100]);
    let spread = random.pick(&[2, 10, 30]);
    let mut odd = [0; 256];
    for symbol in 0..256 {
        let (run, size) = (symbol >> 4, symbol & 15);
        let known = match (ac, layout.process) {
            (false, _) => symbol < 12,
            (true, Process::Progressive) => size <= 10,
            (true, _) => (1..=10).contains(&size) || size == 0 && (run == 0 || run == 15),
        };
        if often[symbol] > 0 || known && random.chance(others) {
            odd[symbol] = 1 << random.between(0, spread);
        }
    }
    odd
}
