//! The file as a whole.

use std::collections::BTreeMap;

use crate::jpeg::bits::BitWriter;
use crate::jpeg::dct::coefficients;
use crate::jpeg::huffman::Table;
use crate::jpeg::layout::{Huffman, Layout, Place, Scan};
use crate::jpeg::markers::{Segment, Writer, frame, hints, notes, restart_interval, scan};
use crate::jpeg::scans::{Item, items};
use crate::jpeg::tables::{Tables, tables};
use crate::random::Random;

/// Writes the file of a layout.
pub(crate) fn file(layout: &Layout) -> Vec<u8> {
    let blocks = coefficients(layout);
    let scans: Vec<Vec<Item>> = layout.scans.iter().map(|scan| items(layout, &blocks, scan)).collect();
    let tables = tables(layout, &scans);
    let mut writer = Writer::new(layout);
    let mut state = State { layout, known: Tables::new(), quantised: BTreeMap::new(), restart: 0 };

    let mut before = Vec::new();
    let mut after = Vec::new();
    let hinted = if layout.late_hints { &mut after } else { &mut before };
    hinted.extend(hints(layout, &mut Random::new(layout.seed, 6)));
    hinted.extend(notes(&mut Random::new(layout.seed, 7)));
    match layout.quantisation_place {
        Place::BeforeFrame => before.extend(state.all_quantisation(&writer)),
        Place::AfterFrame => after.extend(state.all_quantisation(&writer)),
        Place::BeforeScan => {}
    }
    if layout.early_huffman {
        // Where a table never changes, all of them may as well come at once.
        let whole = matches!(layout.huffman, Huffman::Standard | Huffman::File);
        let early = if whole {
            tables.iter().flatten().collect()
        } else {
            tables[0].iter().collect::<BTreeMap<_, _>>()
        };
        before.extend(writer.huffman(early.iter().map(|(key, table)| (*key, *table))));
        state.known.extend(early.into_iter().map(|(key, table)| (*key, table.clone())));
        before.extend(state.restart(&layout.scans[0]));
    }
    if layout.spare_tables {
        before.extend(state.spare(&writer));
    }
    writer.segments(before);
    writer.segment(&frame(layout));
    writer.segments(after);
    for ((header, tables), items) in layout.scans.iter().zip(&tables).zip(&scans) {
        let segments = state.before_scan(&mut writer, header, tables);
        writer.segments(segments);
        writer.segment(&scan(layout, header));
        entropy(&mut writer, items, tables);
    }
    writer.end()
}

/// What a decoder knows so far.
struct State<'a> {
    layout: &'a Layout,
    known: Tables,
    /// The table in each slot.
    quantised: BTreeMap<u8, usize>,
    restart: usize,
}

impl State<'_> {
    fn all_quantisation(&mut self, writer: &Writer<'_>) -> Vec<Segment> {
        let tables = &self.layout.quantisations;
        self.quantised.extend(tables.iter().zip(0..).map(|(table, index)| (table.slot, index)));
        writer.quantisation(tables)
    }

    /// Tables in slots that nothing uses.
    fn spare(&self, writer: &Writer<'_>) -> Vec<Segment> {
        let mut tables: Tables = Tables::new();
        for (ac, slot) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
            let used = self.layout.scans.iter().flat_map(|scan| &scan.tables);
            if !used.into_iter().any(|(dc, of_ac)| slot == if ac { *of_ac } else { *dc }) {
                tables.insert((ac, slot), Table::standard(ac, true));
            }
        }
        let quantisations = &self.layout.quantisations;
        let free = (0..4).find(|slot| quantisations.iter().all(|table| table.slot != *slot));
        let table = free.map(|slot| crate::jpeg::layout::Quantisation { slot, ..quantisations[0].clone() });
        [writer.huffman(&tables), writer.quantisation(&table)].concat()
    }

    fn restart(&mut self, scan: &Scan) -> Option<Segment> {
        (scan.restart != self.restart).then(|| {
            self.restart = scan.restart;
            restart_interval(scan.restart)
        })
    }

    fn before_scan(&mut self, writer: &mut Writer<'_>, scan: &Scan, tables: &Tables) -> Vec<Segment> {
        let mut needed: BTreeMap<u8, usize> = BTreeMap::new();
        for &component in &scan.components {
            let index = self.layout.components[component].quantisation;
            needed.insert(self.layout.quantisations[index].slot, index);
        }
        needed.retain(|slot, index| self.quantised.get(slot) != Some(index));
        self.quantised.extend(&needed);
        let mut segments =
            writer.quantisation(needed.values().map(|&index| &self.layout.quantisations[index]));
        let repeated = self.layout.repeated_tables;
        let fresh = tables.iter().filter(|(key, table)| repeated || self.known.get(key) != Some(table));
        segments.extend(writer.huffman(fresh));
        self.known.extend(tables.clone());
        segments.extend(self.restart(scan));
        segments
    }
}

/// The bits of a scan.
fn entropy(writer: &mut Writer<'_>, items: &[Item], tables: &Tables) {
    let codes: BTreeMap<_, _> = tables.iter().map(|(key, table)| (*key, table.codes())).collect();
    let mut bits = BitWriter::default();
    let mut restarts = 0;
    for item in items {
        match *item {
            Item::Symbol { ac, slot, symbol } => {
                let (code, length) = codes[&(ac, slot)][usize::from(symbol)];
                assert!(length > 0, "symbol {symbol:#x} has no code");
                bits.push(code, length);
            }
            Item::Bits(value, count) => bits.push(value, count),
            Item::Restart => {
                writer.bytes.extend(bits.finish());
                writer.restart(restarts);
                restarts += 1;
            }
        }
    }
    writer.bytes.extend(bits.finish());
}
