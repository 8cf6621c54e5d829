//! From other layouts to RGB.

/// Grey in the first third of the buffer becomes RGB in all of it.
pub(crate) fn expand_grey(buffer: &mut [u8]) {
    for i in (0..buffer.len() / 3).rev() {
        let grey = buffer[i];
        buffer[3 * i..3 * i + 3].fill(grey);
    }
}

/// Grey and alpha in the first two thirds of the buffer become RGB in all of it; alpha is dropped.
pub(crate) fn repeat_first_of_two(buffer: &mut [u8]) {
    for i in (0..buffer.len() / 3).rev() {
        let grey = buffer[2 * i];
        buffer[3 * i..3 * i + 3].fill(grey);
    }
}

/// Copies RGB without the fourth byte of each pixel, four pixels at once: bytes alone are slow.
pub(crate) fn drop_fourth(from: &[u8], to: &mut [u8]) {
    let (from, from_rest) = from.as_chunks::<16>();
    let (to, to_rest) = to.as_chunks_mut::<12>();
    for (from, to) in from.iter().zip(to) {
        let four = u128::from_le_bytes(*from);
        let pixel = |at: u32| (four >> (32 * at)) & 0xFF_FFFF;
        let rgb = pixel(0) | pixel(1) << 24 | pixel(2) << 48 | pixel(3) << 72;
        to.copy_from_slice(&rgb.to_le_bytes()[..12]);
    }
    for (from, to) in from_rest.as_chunks::<4>().0.iter().zip(to_rest.as_chunks_mut::<3>().0) {
        to.copy_from_slice(&from[..3]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_becomes_rgb() {
        let mut grey = vec![1, 2, 0, 0, 0, 0];
        expand_grey(&mut grey);
        assert_eq!(grey, [1, 1, 1, 2, 2, 2]);
        let mut grey_alpha = vec![1, 9, 2, 9, 0, 0];
        repeat_first_of_two(&mut grey_alpha);
        assert_eq!(grey_alpha, [1, 1, 1, 2, 2, 2]);
    }

    #[test]
    fn the_fourth_byte_is_left_out_at_any_length() {
        for count in 0..10 {
            let rgbx: Vec<u8> = (0..4 * count).collect();
            let mut rgb = vec![0; 3 * usize::from(count)];
            drop_fourth(&rgbx, &mut rgb);
            let expected: Vec<u8> = rgbx.into_iter().filter(|byte| byte % 4 < 3).collect();
            assert_eq!(rgb, expected);
        }
    }
}
