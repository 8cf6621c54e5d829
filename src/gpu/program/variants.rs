//! Settings of a program that say which variants of its kernels may run.

use super::Program;
use crate::gpu::Precision;

impl Program {
    /// How exactly it computes; by default [`Precision::Full`], in f32 throughout.
    ///
    /// With [`Precision::Half`] a convolution or product whose weight is of halves
    /// ([`constant_f16`](Self::constant_f16)) may, on a device that can, round the activations that it reads to
    /// halves; the trial decides whether that is faster. Products and sums stay in f32, so that only the
    /// rounding is lost: an output value is off by at most 2⁻¹⁰ of the sum of its products' sizes. An activation
    /// beyond ±65,504 is no half: infinity or NaN may come of it. The twins compute in f32 all the same.
    ///
    /// ```
    /// use gapless::gpu::Precision;
    /// use gapless::{Gpu, Program};
    /// let net = Program::new(&Gpu::best()?).precision(Precision::Half);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn precision(mut self, precision: Precision) -> Self {
        self.allowed.precision = precision;
        self.runner = None;
        self
    }

    /// Runs no other variants than those that a word means, wherever a kernel has such; for measurements and
    /// tests. By default a trial chooses among all.
    ///
    /// A word is a variant as [`Plan::kernels`](crate::gpu::Plan::kernels) names it (`softmax+subgroups`), a
    /// shader (`conv2d_tall`), or a need (`subgroups`, `f16`). Several words are applied in turn. A word that
    /// means none of the program's variants on its device is an error when the program is planned; the twins
    /// have no variants and take every word.
    ///
    /// ```
    /// use gapless::kernel::{Softmax, Spec};
    /// use gapless::{Gpu, Program};
    /// let mut net = Program::new(&Gpu::best()?).forbid_variants("subgroups");
    /// let x = net.input("x", Spec::floats(&[1000]))?;
    /// let y = net.add(Softmax::new(), &[x])?;
    /// net.output("y", y)?;
    /// assert_eq!(net.plan(1)?.kernels().next().unwrap().variant, "softmax");
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn force_variants(mut self, word: impl Into<String>) -> Self {
        self.allowed.forced.push(word.into());
        self.runner = None;
        self
    }

    /// Leaves out the variants that a word means, as [`force_variants`](Self::force_variants) has it, but never
    /// the last one of a kernel; by default none.
    pub fn forbid_variants(mut self, word: impl Into<String>) -> Self {
        self.allowed.forbidden.push(word.into());
        self.runner = None;
        self
    }
}
