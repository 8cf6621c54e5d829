//! From grey to RGB, in the buffer that the pixels stand in.

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
}
