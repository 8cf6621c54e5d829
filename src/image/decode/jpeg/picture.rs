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
use super::idct;
use super::paint::Paint;
use super::rows::Plane;
use super::scan::{InScan, Scan};
use super::segments::{END, SCAN, Segments};
use super::tables::Tables;
use super::wide::{Work, wide};
use crate::error::Cause;

/// A component while its scans are read.
struct Part {
    plane: Plane,
    /// Coefficients: of all blocks of a progressive file, else of one row of units.
    blocks: Vec<Block>,
    /// Of each of these the place of its last coefficient that is not zero, or one behind it.
    lasts: Vec<u8>,
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
        let (mut blocks, mut lasts) = (Vec::new(), Vec::new());
        let count = component.stored.0 * component.kept_blocks(frame);
        blocks.try_reserve_exact(count)?;
        blocks.resize(count, [0; 64]);
        lasts.try_reserve_exact(count)?;
        lasts.resize(count, 0);
        let plane = Plane::of(component, frame, !one_scan)?;
        Ok(Self { plane, blocks, lasts, quantisation: [0; 64], unknown: [None; 64] })
    }

    /// Whether scans are missing without which a decoder has to guess.
    fn would_be_guessed(&self) -> bool {
        self.unknown[0].is_none() || self.unknown[1..SEEN].iter().any(|bits| *bits != Some(0))
    }
}

/// So many rows of blocks become samples, from this row of the component on, and zeros again.
struct Samples<'a> {
    part: &'a mut Part,
    first: usize,
    rows: usize,
}

impl Work for Samples<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Part { plane, blocks, lasts, quantisation, .. } = self.part;
        let across = plane.blocks_across();
        let rows = blocks.chunks_exact_mut(across).zip(lasts.chunks_exact_mut(across));
        for (row, (blocks, lasts)) in rows.take(self.rows).enumerate() {
            let mut samples = plane.row_of_blocks(self.first + row);
            for (x, (block, last)) in blocks.iter_mut().zip(lasts).enumerate() {
                let last = std::mem::take(last);
                idct::samples(block, last.into(), quantisation, samples.at(x));
                if last > 0 {
                    *block = [0; 64];
                }
                block[0] = 0;
            }
        }
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
                        paint.until(row * rows - 1, all.iter().map(|part| &part.plane));
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
    if frame.progressive {
        for (part, component) in all.iter_mut().zip(&frame.components) {
            wide(Samples { part, first: 0, rows: component.stored.1 });
        }
    }
    paint.until(frame.height, all.iter().map(|part| &part.plane));
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
    let (across, down) = if alone { frame.components[scan.components[0].index].blocks } else { frame.units };
    for y in 0..down {
        wide(Row { scan, frame, interval, y, across, reader: &mut reader, codings: &mut codings, all })?;
        if !frame.progressive {
            for at in &scan.components {
                let component = &frame.components[at.index];
                let rows = if alone { 1 } else { component.down };
                wide(Samples { part: &mut all[at.index], first: y * rows, rows });
            }
        }
        row(y + 1, all);
    }
    Ok(())
}

/// A row of units that is to be read.
struct Row<'a, 'b> {
    scan: &'a Scan,
    frame: &'a Frame,
    interval: usize,
    y: usize,
    across: usize,
    reader: &'a mut Reader<'b>,
    codings: &'a mut [Coding],
    all: &'a mut [Part],
}

impl Work for Row<'_, '_> {
    type Output = Result<(), Cause>;

    #[inline(always)]
    fn run(self) -> Result<(), Cause> {
        let Self { scan, frame, interval, y, across, reader, codings, all } = self;
        let alone = scan.components.len() == 1;
        for x in 0..across {
            let unit = y * across + x;
            if interval > 0 && unit > 0 && unit % interval == 0 {
                let markers = unit / interval - 1;
                reader.bits.restart((markers % 8) as u8)?;
                reader.empty = 0;
                codings.iter_mut().for_each(|coding| coding.predictor = 0);
            }
            for (at, coding) in scan.components.iter().zip(&mut *codings) {
                let component = &frame.components[at.index];
                let (wide, high) = if alone { (1, 1) } else { (component.across, component.down) };
                let above = if frame.progressive { y * high } else { 0 };
                let part = &mut all[at.index];
                for down in 0..high {
                    for right in 0..wide {
                        let place = (above + down) * component.stored.0 + x * wide + right;
                        let last = reader.block(&mut part.blocks[place], coding)?;
                        part.lasts[place] = part.lasts[place].max(last as u8);
                    }
                }
            }
        }
        Ok(())
    }
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
