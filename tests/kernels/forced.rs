//! A kernel of which a device runs one variant and no other.

use gapless::Cause;
use gapless::kernel::{Dispatch, Kernel, Spec, Values};
use ndarray::ArrayViewMutD;

#[derive(Debug)]
pub(crate) struct Forced<K> {
    pub(crate) kernel: K,
    /// Which of the kernel's variants.
    pub(crate) variant: usize,
}

impl<K: Kernel> Kernel for Forced<K> {
    fn name(&self) -> &str {
        self.kernel.name()
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        self.kernel.output(inputs)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        self.kernel.variants(inputs, output).swap_remove(self.variant)
    }

    fn twin(&self, inputs: &[Values<'_>], output: ArrayViewMutD<'_, f32>) {
        self.kernel.twin(inputs, output);
    }
}
