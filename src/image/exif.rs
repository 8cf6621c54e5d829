//! The one EXIF value that changes pixels: the orientation.
//!
//! Only the first image directory of the TIFF block is read, in place and without allocating.
//! A block that makes no sense is a photo without orientation, since it is a note about the photo
//! and not the photo.

use super::orient::Orientation;

const ORIENTATION: u16 = 0x0112;

/// The orientation in an EXIF block, with or without the `Exif\0\0` before the TIFF header.
///
/// Layout: TIFF 6.0 section 2, tag 274; CIPA DC-008 (EXIF 2.32) section 4.6.4.
///
/// `None` where it has no such value; one that means nothing is that of an upright photo.
pub(crate) fn orientation(exif: &[u8]) -> Option<Orientation> {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let value = find(tiff)?;
    Some(value.and_then(Orientation::from_exif).unwrap_or_default())
}

fn find(tiff: &[u8]) -> Option<Option<u16>> {
    let order = match tiff.get(..4)? {
        b"II*\0" => Order::Little,
        b"MM\0*" => Order::Big,
        _ => return None,
    };
    let directory = tiff.get(order.u32(tiff, 4)? as usize..)?;
    let entries = directory.get(2..)?.chunks_exact(12).take(order.u16(directory, 0)?.into());
    let entry = entries.into_iter().find(|entry| order.u16(entry, 0) == Some(ORIENTATION))?;
    Some(first_value(order, tiff, entry))
}

/// The first value of an entry, of whatever kind of whole number: cameras write a short, and other programs what they
/// like. More bytes than four stand elsewhere.
fn first_value(order: Order, tiff: &[u8], entry: &[u8]) -> Option<u16> {
    let (kind, count) = (order.u16(entry, 2)?, order.u32(entry, 4)?);
    let bytes = match kind {
        1 | 6 => 1_u64,
        3 | 8 => 2,
        4 | 9 => 4,
        _ => return None,
    };
    let values = match (u64::from(count) * bytes, order.u32(entry, 8)) {
        (0, _) => return None,
        (1..=4, _) => entry.get(8..)?,
        (_, offset) => tiff.get(offset? as usize..)?,
    };
    match bytes {
        1 => values.first().copied().map(u16::from),
        2 => order.u16(values, 0),
        _ => order.u32(values, 0)?.try_into().ok(),
    }
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(*bytes),
            Self::Big => u16::from_be_bytes(*bytes),
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(*bytes),
            Self::Big => u32::from_be_bytes(*bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(order: &[u8], value: [u8; 4], count: [u8; 4], kind: [u8; 2], tag: [u8; 2]) -> Vec<u8> {
        let little = order[0] == b'I';
        let mut tiff = order.to_vec();
        tiff.extend(if little { [8, 0, 0, 0, 1, 0] } else { [0, 0, 0, 8, 0, 1] });
        tiff.extend([tag, kind].concat());
        tiff.extend([count, value].concat());
        tiff
    }

    #[test]
    fn both_byte_orders_are_read() {
        let little = block(b"II*\0", [6, 0, 0, 0], [1, 0, 0, 0], [3, 0], [0x12, 1]);
        let big = block(b"MM\0*", [0, 6, 0, 0], [0, 0, 0, 1], [0, 3], [1, 0x12]);
        let six = Orientation::from_exif(6);
        assert_eq!(orientation(&little), six);
        assert_eq!(orientation(&big), six);
        assert_eq!(orientation(&[b"Exif\0\0", &big[..]].concat()), six);
    }

    #[test]
    fn whole_numbers_of_every_kind_and_count_are_read() {
        let six = Orientation::from_exif(6);
        for kind in [1, 3, 4, 6, 8, 9] {
            let alone = block(b"II*\0", [6, 0, 0, 0], [1, 0, 0, 0], [kind, 0], [0x12, 1]);
            assert_eq!(orientation(&alone), six, "kind {kind}");
            // Values that do not fit into the entry stand behind it.
            let mut elsewhere = block(b"II*\0", [22, 0, 0, 0], [5, 0, 0, 0], [kind, 0], [0x12, 1]);
            elsewhere.extend([6, 0, 0, 0].repeat(5));
            assert_eq!(orientation(&elsewhere), six, "kind {kind}");
            let none = block(b"II*\0", [6, 0, 0, 0], [0, 0, 0, 0], [kind, 0], [0x12, 1]);
            assert_eq!(orientation(&none), Some(Orientation::default()), "kind {kind}");
        }
        let text = block(b"II*\0", [6, 0, 0, 0], [1, 0, 0, 0], [2, 0], [0x12, 1]);
        assert_eq!(orientation(&text), Some(Orientation::default()));
    }

    #[test]
    fn nonsense_is_no_orientation() {
        let block = block(b"II*\0", [9, 0, 0, 0], [1, 0, 0, 0], [3, 0], [0x12, 1]);
        for end in 0..block.len() {
            assert_eq!(orientation(&block[..end]), None);
        }
        assert_eq!(orientation(&block), Some(Orientation::default()));
        assert_eq!(orientation(b"II*\0\xFF\xFF\xFF\xFF"), None);
    }
}
