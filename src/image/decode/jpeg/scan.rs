//! The head of a scan: which components and which of their coefficients stand in its data.
//!
//! ITU-T T.81, B.2.3 and G.1.1.1.

use super::frame::Frame;
use super::segments::truncated;
use crate::error::Cause;

/// Blocks that an interleaved unit may hold: T.81, B.2.3.
const MOST_BLOCKS: usize = 10;

pub(super) struct Scan {
    pub(super) components: Vec<InScan>,
    /// The first and the last coefficient, in the order of the file.
    pub(super) band: (usize, usize),
    /// Bits that are not known yet behind the scan before, 0 where there was none; and behind this one.
    pub(super) before: u8,
    pub(super) after: u8,
}

/// A component of a scan, and its tables.
#[derive(Clone, Copy)]
pub(super) struct InScan {
    pub(super) index: usize,
    pub(super) dc: usize,
    pub(super) ac: usize,
}

impl Scan {
    pub(super) fn read(content: &[u8], frame: &Frame) -> Result<Self, Cause> {
        let (&count, rest) = content.split_first().ok_or_else(truncated)?;
        let (components, rest) = rest.split_at_checked(2 * usize::from(count)).ok_or_else(truncated)?;
        let &[first, last, precision] = rest else {
            return Err(Cause::msg("a JPEG with an odd scan header"));
        };
        let mut named = Vec::new();
        for pair in components.as_chunks().0 {
            named.push(in_scan(*pair, frame, &named)?);
        }
        let scan = Self {
            components: named,
            band: (first.into(), last.into()),
            before: precision >> 4,
            after: precision & 15,
        };
        scan.check(frame)?;
        // A sequential scan holds everything, whatever it says.
        Ok(if frame.progressive { scan } else { Self { band: (0, 63), before: 0, after: 0, ..scan } })
    }

    fn check(&self, frame: &Frame) -> Result<(), Cause> {
        let together = |at: &InScan| frame.components[at.index].across * frame.components[at.index].down;
        let blocks: usize = self.components.iter().map(together).sum();
        if self.components.is_empty() || (self.components.len() > 1 && blocks > MOST_BLOCKS) {
            return Err(Cause::msg("a JPEG with a scan of components that cannot stand together"));
        }
        let (first, last) = self.band;
        let dc = first == 0;
        let band = last < 64 && first <= last && (!dc || last == 0) && (dc || self.components.len() == 1);
        let precision = self.after < 14 && (self.before == 0 || self.before == self.after + 1);
        if frame.progressive && !(band && precision) {
            return Err(Cause::msg(format_args!(
                "a progressive JPEG with a scan of coefficients {first} to {last} and bits {} to {}",
                self.before, self.after
            )));
        }
        Ok(())
    }
}

/// The component of this name; where several have it, the first that is not in the scan yet.
fn in_scan([id, tables]: [u8; 2], frame: &Frame, named: &[InScan]) -> Result<InScan, Cause> {
    let free = |index: usize| named.iter().all(|other| other.index != index);
    let all = frame.components.iter().enumerate();
    let index =
        all.filter(|(_, component)| component.id == id).map(|(index, _)| index).find(|&index| free(index));
    let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
    match index {
        Some(index) if dc < 4 && ac < 4 => Ok(InScan { index, dc, ac }),
        _ => Err(Cause::msg(format_args!("a JPEG with a scan of component {id} by tables {dc} and {ac}"))),
    }
}
