//! How a stored photo becomes an upright one.

use gapless_resize::Region;

/// One of the eight EXIF orientations: a pixel at (x, y) of the upright photo is found in the stored
/// one by exchanging x and y, then counting either from the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orientation {
    transposed: bool,
    from_right: bool,
    from_bottom: bool,
}

impl Orientation {
    /// The orientation of EXIF value 1 to 8; other values mean nothing.
    pub(crate) fn from_exif(value: u16) -> Option<Self> {
        let (transposed, from_right, from_bottom) = match value {
            1 => (false, false, false),
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, false, true),
            7 => (true, true, true),
            8 => (true, true, false),
            _ => return None,
        };
        Some(Self { transposed, from_right, from_bottom })
    }

    pub(crate) fn is_upright(self) -> bool {
        self == Self::default()
    }

    /// Width and height after the change; it is its own inverse.
    pub(crate) fn sides(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.transposed { (height, width) } else { (width, height) }
    }

    /// Where a region of the upright photo lies in the stored one of this size.
    pub(crate) fn stored(self, region: Region, (width, height): (u32, u32)) -> Region {
        let mut stored = region;
        if self.transposed {
            stored =
                Region { left: region.top, top: region.left, width: region.height, height: region.width };
        }
        if self.from_right {
            stored.left = width - stored.left - stored.width;
        }
        if self.from_bottom {
            stored.top = height - stored.top - stored.height;
        }
        stored
    }

    /// Copies stored pixels of `BYTES` bytes, RGB first, into an upright tensor of RGB with `sides`.
    pub(crate) fn turn<const BYTES: usize>(self, stored: &[u8], upright: &mut [u8], sides: (u32, u32)) {
        let (stored, upright) = (stored.as_chunks::<BYTES>().0, upright.as_chunks_mut::<3>().0);
        let width = sides.0 as usize;
        let stored_sides = self.sides(sides);
        for (y, row) in upright.chunks_exact_mut(width).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                pixel.copy_from_slice(&stored[self.place((x, y), stored_sides)][..3]);
            }
        }
    }

    /// Index in the stored photo of this size of the pixel at (x, y) of the upright one.
    fn place(self, (x, y): (usize, usize), (width, height): (u32, u32)) -> usize {
        let (width, height) = (width as usize, height as usize);
        let (mut x, mut y) = if self.transposed { (y, x) } else { (x, y) };
        if self.from_right {
            x = width - 1 - x;
        }
        if self.from_bottom {
            y = height - 1 - y;
        }
        y * width + x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored as the rows `a b c` and `d e f`.
    fn upright(value: u16) -> (usize, String) {
        let stored: Vec<u8> = b"abcdef".iter().flat_map(|&byte| [byte, byte, byte, 0]).collect();
        let orientation = Orientation::from_exif(value).unwrap();
        let sides = orientation.sides((3, 2));
        let mut tensor = [0; 18];
        orientation.turn::<4>(&stored, &mut tensor, sides);
        (sides.0 as usize, tensor.iter().step_by(3).map(|&byte| char::from(byte)).collect())
    }

    #[test]
    fn each_orientation_is_what_exif_says() {
        let expected = ["abcdef", "cbafed", "fedcba", "defabc", "adbecf", "daebfc", "fcebda", "cfbead"];
        for (value, expected) in (1..).zip(expected) {
            assert_eq!(upright(value), (if value < 5 { 3 } else { 2 }, expected.into()), "{value}");
        }
    }

    #[test]
    fn a_region_holds_the_pixel_that_it_holds_upright() {
        for value in 1..=8 {
            let orientation = Orientation::from_exif(value).unwrap();
            let (width, height) = orientation.sides((3, 2));
            for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
                let region = orientation.stored(Region { left: x, top: y, width: 1, height: 1 }, (3, 2));
                let place = orientation.place((x as usize, y as usize), (3, 2));
                assert_eq!((region.top * 3 + region.left) as usize, place, "{value}");
            }
        }
    }
}
