//! Settings of a program that say which variants of its kernels may run.

use super::Program;
use crate::kernel::Precision;

impl Program {
    /// How exactly it computes; by default [`Precision::Full`], in f32 throughout.
    ///
    /// With [`Precision::Mixed`] or [`Precision::Half`] a convolution or product whose weight is of halves
    /// ([`constant_f16`](Self::constant_f16)) may compute with 16-bit floats on a device that has them; the trial
    /// decides whether that is faster, and [`Precision`] says what it costs. Since time decides, two runs may differ
    /// by as much; [`force_variants`](Self::force_variants) with `mixed` or `half` leaves no choice. The twins compute
    /// in f32 all the same.
    ///
    /// ```
    /// use gapless::kernel::Precision;
    /// use gapless::{Gpu, Program};
    /// let net = Program::new(&Gpu::best()?).precision(Precision::Mixed);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn precision(mut self, precision: Precision) -> Self {
        self.allowed.precision = precision;
        self.change();
        self
    }

    /// Runs no other variants than those that a word means, wherever a kernel has such; for measurements and
    /// tests. By default a trial chooses among all when the first program with such a kernel is opened on the device,
    /// for the largest batch of that program; what it chose holds for every later one.
    ///
    /// A word is a variant as [`Plan::kernels`](crate::gpu::Plan::kernels) names it (`softmax+subgroups`), a
    /// shader (`conv2d_tall`), or a need (`subgroups`, `mixed`, `half`). Several words are applied in turn. A word that
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
        self.change();
        self
    }

    /// Leaves out the variants that a word means, as [`force_variants`](Self::force_variants) has it, but never
    /// the last one of a kernel; by default none.
    pub fn forbid_variants(mut self, word: impl Into<String>) -> Self {
        self.allowed.forbidden.push(word.into());
        self.change();
        self
    }
}
