//! The ways in which a step of a plan can be done, and which of them is.

use std::hash::{Hash, Hasher};

use super::{Plan, Step, append_params};
use crate::gpu::Limits;
use crate::kernel::Dispatch;

/// One way to do a step.
#[derive(Clone, Debug)]
pub(in crate::gpu) struct Variant {
    pub(in crate::gpu) name: String,
    pub(in crate::gpu) dispatch: Dispatch,
    /// A number for all that its results depend on but the device.
    pub(in crate::gpu) key: u64,
    /// Offset and length of its parameters.
    #[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "the twins have parameters of their own"))]
    pub(in crate::gpu) params: (u64, u64),
}

/// A kernel of a plan. [`Plan::kernels`] gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedKernel<'a> {
    /// The kernel's name and its number in the program.
    pub name: &'a str,
    /// Element type and shape of that tensor.
    pub shape: &'a str,
    /// The variant that runs on the device: its shader, and what it needs
    /// ([`Dispatch::variant`](crate::kernel::Dispatch::variant)). Before a program is opened on the device
    /// for the first time, it is the plainest.
    pub variant: &'a str,
    /// Functions that it does to each value before it is written, such as `add, relu`: kernels that need no pass of
    /// their own.
    pub then: &'a str,
    /// A kernel whose values it computes where it reads them, in the place of a pass of their own, and what follows
    /// that one; as a rule nothing.
    pub computes: &'a str,
    /// Every variant that the device can run, the plainest first.
    pub variants: Vec<&'a str>,
    /// Multiply-adds of one item.
    pub multiply_adds: u64,
    /// Bytes of one item that it reads and writes.
    pub item_bytes: u64,
    /// Bytes of the constants that it reads, once a batch.
    pub constant_bytes: u64,
}

impl PlannedKernel<'_> {
    /// Bytes that it reads and writes for a batch of `rows` items, each tensor counted once.
    pub fn bytes_moved(&self, rows: usize) -> u64 {
        self.constant_bytes + rows as u64 * self.item_bytes
    }
}

impl Plan {
    /// Every variant of every kernel.
    pub(in crate::gpu) fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.steps.iter().flat_map(Step::and_instead).flat_map(|step| &step.variants)
    }

    /// Every kernel in the order in which they run, and which of its variants it is.
    pub fn kernels(&self) -> impl Iterator<Item = PlannedKernel<'_>> {
        self.steps.iter().map(Step::planned)
    }
}

impl Step {
    pub(in crate::gpu) fn planned(&self) -> PlannedKernel<'_> {
        PlannedKernel {
            name: &self.name,
            shape: &self.shape,
            variant: &self.variant().name,
            then: &self.follows,
            computes: &self.computes,
            variants: self.and_instead().flat_map(|step| &step.variants).map(|one| &*one.name).collect(),
            multiply_adds: self.multiply_adds,
            item_bytes: self.read_bytes + self.bytes,
            constant_bytes: self.constant_bytes,
        }
    }

    /// The step, and the one that may be taken in its place.
    pub(in crate::gpu) fn and_instead(&self) -> impl Iterator<Item = &Self> {
        [self].into_iter().chain(self.instead.iter().map(|instead| &instead.step))
    }

    /// What the variant that was chosen asks for.
    pub(in crate::gpu) fn dispatch(&self) -> &Dispatch {
        &self.variant().dispatch
    }

    pub(in crate::gpu) fn variant(&self) -> &Variant {
        &self.variants[self.chosen]
    }
}

/// The variants that the device can run, their parameters put behind the others. Where none of them is as exact as
/// the first, that one is left alone whatever it asks for, so that an error can say what it was.
pub(super) fn fitting(dispatches: Vec<Dispatch>, params: &mut Vec<u8>, limits: &Limits) -> Vec<Variant> {
    let plainest = dispatches.first().map(|first| first.needs.precision).unwrap_or_default();
    let (fitting, others): (Vec<_>, Vec<_>) = dispatches.into_iter().partition(|one| limits.meet(one));
    let is_exact = fitting.iter().any(|dispatch| dispatch.needs.precision <= plainest);
    let kept = if is_exact { fitting } else { others.into_iter().take(1).collect() };
    let alignment = limits.params_alignment as usize;
    let variant = |dispatch: Dispatch| Variant {
        name: dispatch.variant().into_owned(),
        params: append_params(params, &dispatch.params, alignment),
        key: key(&dispatch),
        dispatch,
    };
    kept.into_iter().map(variant).collect()
}

fn key(dispatch: &Dispatch) -> u64 {
    let Dispatch { kernel, source, access, constants, workgroups, params, needs } = dispatch;
    let mut hasher = Fnv::default();
    (kernel, source, access, workgroups, params, needs).hash(&mut hasher);
    constants.iter().for_each(|(name, value)| (name, value.to_bits()).hash(&mut hasher));
    hasher.finish()
}

/// The hash FNV-1a of 64 bits: keys stand in files, and the standard library's may change with its release.
pub(in crate::gpu) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
