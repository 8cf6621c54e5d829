//! Settings of a program that say which variants of its kernels may run.

use std::sync::Arc;

use super::Program;
use crate::error::Error;
use crate::gpu::Variants;
use crate::gpu::kept::Lent;
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
    /// tests. By default a trial chooses among all when the first program with such a kernel is opened on the device
    /// for batches of about so many items.
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

    /// Which variants it runs for batches of up to `max_batch` items, as data. The program is opened for them where it
    /// is not, so that a trial chooses, and stays so for the next run.
    ///
    /// # Errors
    /// [`Error::Setting`] or [`Error::Open`] where it cannot be opened for such batches.
    pub fn variants(&self, max_batch: usize) -> Result<Variants, Error> {
        self.plan(max_batch)?;
        let lent = Lent::new(&self.kept, max_batch, || self.start(max_batch));
        let mut lent = lent.map_err(|error| Error::Open { cause: error.cause().clone() })?;
        Ok(Variants::of(self.gpu.facts(), lent.runner().plan()))
    }

    /// Runs these variants and no others, without a trial: what it gives for a document is then the same, to the last
    /// bit, at every batch size, in every run, and in another process.
    ///
    /// By default a trial chooses, by time, among variants whose sums may have another order, and batches of another
    /// size may get others. Settings that allow and forbid variants do not count beside these.
    ///
    /// # Errors
    /// [`Error::Setting`] where they were chosen on another device or for another driver, or where a kernel has no such
    /// variant, since the program, or gapless, is another.
    ///
    /// ```
    /// # use gapless::kernel::{Softmax, Spec};
    /// # use gapless::{Gpu, Program};
    /// # let mut net = Program::new(&Gpu::best()?);
    /// # let x = net.input("x", Spec::floats(&[1000]))?;
    /// # let y = net.add(Softmax::new(), &[x])?;
    /// # net.output("y", y)?;
    /// let chosen = net.variants(64)?;
    /// let net = net.pin(&chosen)?;
    /// # assert_eq!(net.variants(2)?, chosen);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn pin(mut self, variants: &Variants) -> Result<Self, Error> {
        self.allowed.pinned = Some(Arc::new(variants.clone()));
        self.change();
        self.plan(1)?;
        Ok(self)
    }
}
