//! All scans of a JPEG, to the samples of its components, and to the rows of the picture.
//!
//! A sequential file has each block once, whose samples are made at once; where all stand in one scan a row is painted
//! as soon as it is whole. A progressive file has all blocks again and again, and its coefficients are kept until the
//! last scan.
//!
//! ITU-T T.81, A.2 for the order of blocks and E.2 for restarts.

use super::bits::Bits;
use super::blocks::{Block, Coding, Kind, Reader};
use super::frame::{Component, Frame};
use super::paint::Paint;
use super::rows::Plane;
use super::scan::{InScan, Scan};
use super::segments::{END, SCAN, Segments};
use super::tables::Tables;
use crate::error::Cause;

/// A component while its scans are read.
struct Part {
    /// Of a progressive file it is made of all coefficients, in the end.
    plane: Option<Plane>,
    /// All coefficients, of a progressive file.
    blocks: Vec<Block>,
    /// The table that stood when its first scan began.
    quantisation: [u16; 64],
    /// How many bits of each coefficient are not known; `None` where nothing of it is.
    unknown: [Option<u8>; 64],
}

/// Coefficients, in the order of the file, from which a picture is seen: libjpeg smooths what it has where one of
/// them is not known to its last bit.
const SEEN: usize = 10;

impl Part {
    fn new(component: &Component, frame: &Frame, one_scan: bool) -> Result<Self, Cause> {
        let (mut blocks, mut plane) = (Vec::new(), None);
        if frame.progressive {
            let count = component.stored.0 * component.stored.1;
            blocks.try_reserve_exact(count)?;
            blocks.resize(count, [0; 64]);
        } else {
            plane = Some(Plane::of(component, frame, !one_scan)?);
        }
        Ok(Self { plane, blocks, quantisation: [0; 64], unknown: [None; 64] })
    }

    /// Reads the block at this place of a scan.
    fn read(&mut self, place: usize, reader: &mut Reader<'_>, coding: &mut Coding) -> Result<(), Cause> {
        match &mut self.plane {
            Some(plane) => {
                let mut block = [0; 64];
                reader.block(&mut block, coding)?;
                plane.put(place, &block, &self.quantisation);
                Ok(())
            }
            None => reader.block(&mut self.blocks[place], coding),
        }
    }

    /// Makes the samples of a progressive file, and gives its coefficients up.
    fn develop(&mut self, component: &Component, frame: &Frame) -> Result<(), Cause> {
        if self.plane.is_none() {
            let mut plane = Plane::of(component, frame, true)?;
            for (place, block) in std::mem::take(&mut self.blocks).iter().enumerate() {
                plane.put(place, block, &self.quantisation);
            }
            self.plane = Some(plane);
        }
        Ok(())
    }

    /// Whether scans are missing without which a decoder has to guess.
    fn would_be_guessed(&self) -> bool {
        self.unknown[0].is_none() || self.unknown[1..SEEN].iter().any(|bits| *bits != Some(0))
    }
}

/// Reads every scan and paints the picture.
pub(super) fn read(jpeg: &[u8], frame: &Frame, one_scan: bool, paint: &mut Paint<'_>) -> Result<(), Cause> {
    let all = frame.components.iter().map(|component| Part::new(component, frame, one_scan));
    let mut all = all.collect::<Result<Vec<_>, Cause>>()?;
    let (mut segments, mut tables, mut interval) = (Segments::of(jpeg), Tables::default(), 0);
    loop {
        match segments.next()? {
            (END, _) => break,
            (0xDB, content) => tables.quantisation(content)?,
            (0xC4, content) => tables.huffman(content)?,
            (0xDD, &[high, low]) => interval = u16::from_be_bytes([high, low]).into(),
            (SCAN, content) => {
                let scan = Scan::read(content, frame)?;
                note(&scan, &mut all, &tables, frame)?;
                // A scan of one component has its blocks row by row, however it is sampled.
                let rows = if scan.components.len() == 1 { 8 } else { 8 * frame.finest.1 };
                let row = |row, all: &[Part]| {
                    if one_scan {
                        // The last row that is there may be interpolated with the next.
                        paint.until(row * rows - 1, all.iter().flat_map(|part| &part.plane));
                    }
                };
                read_scan(&scan, segments.data(), (&mut all, &mut tables), (frame, interval), row)?;
                segments.skip_scan()?;
            }
            _ => {}
        }
    }
    if all.iter().any(Part::would_be_guessed) {
        return Err(Cause::msg("a JPEG that ends before all its scans"));
    }
    for (part, component) in all.iter_mut().zip(&frame.components) {
        part.develop(component, frame)?;
    }
    paint.until(frame.height, all.iter().flat_map(|part| &part.plane));
    Ok(())
}

/// Notes what a scan tells: each coefficient once from its first bits on, and then bit by bit.
fn note(scan: &Scan, all: &mut [Part], tables: &Tables, frame: &Frame) -> Result<(), Cause> {
    for at in &scan.components {
        let number = frame.components[at.index].table;
        let table = tables.quantisation[number]
            .ok_or_else(|| Cause::msg(format_args!("a JPEG without its quantisation table {number}")))?;
        let part = &mut all[at.index];
        if part.unknown.iter().all(Option::is_none) {
            part.quantisation = table;
        }
        let before = (scan.before > 0).then_some(scan.before);
        let dc_first = scan.band.0 == 0 || part.unknown[0].is_some();
        for bits in &mut part.unknown[scan.band.0..=scan.band.1] {
            if *bits != before || !dc_first {
                return Err(Cause::msg("a progressive JPEG whose scans do not follow each other"));
            }
            *bits = Some(scan.after);
        }
    }
    Ok(())
}

fn kind(scan: &Scan, frame: &Frame) -> Kind {
    match (frame.progressive, scan.band.0 == 0, scan.before == 0) {
        (false, ..) => Kind::Sequential,
        (true, true, true) => Kind::Dc,
        (true, true, false) => Kind::RefineDc,
        (true, false, true) => Kind::Ac,
        (true, false, false) => Kind::RefineAc,
    }
}

/// Reads the data of a scan, with so many units between two restarts; `row` is told of every row of units that is
/// whole.
fn read_scan(
    scan: &Scan,
    data: &[u8],
    (all, tables): (&mut [Part], &mut Tables),
    (frame, interval): (&Frame, usize),
    mut row: impl FnMut(usize, &[Part]),
) -> Result<(), Cause> {
    let kind = kind(scan, frame);
    let mut codings = codings(scan, kind, tables)?;
    let mut reader = Reader { bits: Bits::of(data), kind, band: scan.band, shift: scan.after, empty: 0 };
    let alone = scan.components.len() == 1;
    let first = &frame.components[scan.components[0].index];
    let (across, down) = if alone { first.blocks } else { frame.units };
    for unit in 0..across * down {
        if interval > 0 && unit > 0 && unit % interval == 0 {
            let markers = unit / interval - 1;
            reader.bits.restart((markers % 8) as u8)?;
            reader.empty = 0;
            codings.iter_mut().for_each(|coding| coding.predictor = 0);
        }
        let (x, y) = (unit % across, unit / across);
        for (at, coding) in scan.components.iter().zip(&mut codings) {
            let component = &frame.components[at.index];
            let (wide, high) = if alone { (1, 1) } else { (component.across, component.down) };
            for place in 0..wide * high {
                let (x, y) = (x * wide + place % wide, y * high + place / wide);
                all[at.index].read(y * component.stored.0 + x, &mut reader, coding)?;
            }
        }
        if x == across - 1 {
            row(y + 1, all);
        }
    }
    Ok(())
}

/// The tables that the blocks of each component need.
fn codings(scan: &Scan, kind: Kind, tables: &mut Tables) -> Result<Vec<Coding>, Cause> {
    let (needs_dc, needs_ac) = match kind {
        Kind::Sequential => (true, true),
        Kind::Dc => (true, false),
        Kind::RefineDc => (false, false),
        Kind::Ac | Kind::RefineAc => (false, true),
    };
    let mut code =
        |needed: bool, class, number| needed.then(|| tables.code(class, number).cloned()).transpose();
    let coding = |at: &InScan| {
        Ok(Coding { dc: code(needs_dc, 0, at.dc)?, ac: code(needs_ac, 1, at.ac)?, predictor: 0 })
    };
    scan.components.iter().map(coding).collect()
}
