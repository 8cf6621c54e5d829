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
