//! What stands beside the pixels of a photo and turns them: the orientation of its EXIF block, or else of its XMP packet.
//!
//! Who writes XMP writes XML, and of that only what Pillow seeks is sought: `tiff:Orientation`, as an attribute or as an
//! element, with the value directly behind it. A browser looks at EXIF alone.

use super::exif;
use super::orient::Orientation;

/// The notes of a photo that say how it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notes<'a> {
    pub(crate) exif: Option<&'a [u8]>,
    pub(crate) xmp: Option<&'a [u8]>,
}

impl Notes<'_> {
    /// That of EXIF, whatever its value, and of XMP only where EXIF has none.
    pub(crate) fn orientation(&self) -> Orientation {
        self.exif.and_then(exif::orientation).or_else(|| self.xmp.and_then(of_xmp)).unwrap_or_default()
    }
}

const NAME: &[u8] = b"tiff:Orientation";

/// Source: Pillow 13, `Image.getexif`: the first match of `tiff:Orientation(="|>)([0-9])`.
fn of_xmp(xmp: &[u8]) -> Option<Orientation> {
    let digit =
        xmp.windows(NAME.len()).enumerate().filter(|(_, name)| *name == NAME).find_map(|(at, _)| {
            let behind = &xmp[at + NAME.len()..];
            let value = behind.strip_prefix(b"=\"").or_else(|| behind.strip_prefix(b">"))?;
            value.first().filter(|digit| digit.is_ascii_digit())
        })?;
    Orientation::from_exif(u16::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_directly_behind_the_name_is_taken() {
        let six = Orientation::from_exif(6);
        for xmp in ["tiff:Orientation=\"6\"", "<tiff:Orientation>6</tiff:Orientation>", "tiff:Orientation>61"]
        {
            assert_eq!(of_xmp(xmp.as_bytes()), six, "{xmp}");
            for end in 0..xmp.find('6').unwrap() {
                assert_eq!(of_xmp(&xmp.as_bytes()[..end]), None, "{xmp} up to {end}");
            }
        }
        assert_eq!(of_xmp(b"tiff:Orientation='3' tiff:Orientation=\"6\" tiff:Orientation=\"8\""), six);
        for nothing in
            ["tiff:Orientation = \"6\"", "tiff:Orientation=\"0\"", "tiff:Orientation> 6", "Orientation=\"6\""]
        {
            assert_eq!(of_xmp(nothing.as_bytes()), None, "{nothing}");
        }
    }
}
