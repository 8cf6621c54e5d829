//! The same code once more, for processors with wider instructions.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "whether a processor has an instruction is known when the program runs")
)]

/// Work on many numbers. It is a type and no closure, since only a method can say that it is always inlined.
pub(super) trait Work {
    type Output;

    /// `#[inline(always)]`, as all that it calls where numbers are made.
    fn run(self) -> Self::Output;
}

/// Does the work with AVX2 and BMI where the processor has them: what is compiled for every processor of a kind uses
/// half as wide instructions. The results are the same.
#[inline]
pub(super) fn wide<W: Work>(work: W) -> W::Output {
    #[cfg(test)]
    if tests::NARROW.get() {
        return work.run();
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
    {
        #[target_feature(enable = "avx2,bmi1,bmi2")]
        fn with_avx2<W: Work>(work: W) -> W::Output {
            work.run()
        }
        // SAFETY: the processor has all features that the function is compiled for, as was asked right before; that is
        // all a call of it requires.
        return unsafe { with_avx2(work) };
    }
    work.run()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use gapless_photos::jpeg::{Layout, write};

    use crate::image::allowance::Allowance;
    use crate::image::decode::jpeg::decode;

    thread_local! {
        /// Whether this thread does as a processor without these instructions.
        pub(super) static NARROW: Cell<bool> = const { Cell::new(false) };
    }

    /// The pixels of a file, or why it is refused.
    fn pixels(jpeg: &[u8], narrow: bool) -> Result<Vec<u8>, String> {
        let (allowance, mut pixels) = (Allowance::default(), Vec::new());
        NARROW.set(narrow);
        let decoded = decode(jpeg, &allowance, &mut pixels);
        NARROW.set(false);
        decoded.map(|_| pixels).map_err(|cause| cause.to_string())
    }

    #[test]
    fn photos_of_every_layout_are_the_same_without_wide_instructions() {
        let files = (0..1_000).map(|seed| write(&Layout::random(seed)));
        let same = |(seed, file): (usize, Vec<u8>)| {
            let (wide, narrow) = (pixels(&file, false), pixels(&file, true));
            assert_eq!(wide, narrow, "seed {seed}");
            wide.is_ok()
        };
        let decoded = files.enumerate().map(same).filter(|is_ok| *is_ok).count();
        assert!(decoded > 950, "{decoded} of 1,000 files are decoded");
    }
}
