//! A kernel of which a device runs one variant and no other.

use gapless::kernel::{Dispatch, Kernel, Needs, Precision, Spec, Values, ValuesMut};
use gapless::{Cause, Gpu};
#[derive(Debug)]
pub(crate) struct Forced<K> {
    pub(crate) kernel: K,
    /// Which of the kernel's variants.
    pub(crate) variant: usize,
}

/// What every variant of the kernel needs, without those that the device cannot run, with their places.
fn needs(gpu: &Gpu, kernel: &impl Kernel, inputs: &[&Spec]) -> Vec<(usize, Needs)> {
    let variants = kernel.variants(inputs, &kernel.output(inputs).unwrap());
    let limits = gpu.limits();
    let runs = |needs: &Needs| {
        (limits.subgroups.is_some() || !needs.subgroups)
            && (limits.f16 || needs.precision == Precision::Full)
            && needs.workgroup_bytes <= limits.workgroup_bytes
            && needs.rounds <= limits.rounds
    };
    let needs = variants.into_iter().map(|variant| variant.needs);
    needs.enumerate().filter(|(_, needs)| runs(needs)).collect()
}

/// The variants that the device can run in full precision.
pub(crate) fn full(gpu: &Gpu, kernel: &impl Kernel, inputs: &[&Spec]) -> Vec<usize> {
    variants(gpu, kernel, inputs, Precision::Full)
}

/// The variants that the device can run and that compute with this precision.
pub(crate) fn variants(
    gpu: &Gpu,
    kernel: &impl Kernel,
    inputs: &[&Spec],
    precision: Precision,
) -> Vec<usize> {
    let needs = needs(gpu, kernel, inputs).into_iter();
    needs.filter(|(_, needs)| needs.precision == precision).map(|(place, _)| place).collect()
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

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        self.kernel.twin(inputs, output);
    }
}
