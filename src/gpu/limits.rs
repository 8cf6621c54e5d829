//! What a device allows.

use crate::kernel::{Dispatch, Needs};

/// What a device allows, as far as programs depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Limits {
    /// Largest buffer, in bytes.
    pub buffer_bytes: u64,
    /// Largest part of a buffer that a kernel can read or write, in bytes.
    pub binding_bytes: u64,
    /// Most workgroups in one dimension of a dispatch; also the largest batch.
    pub workgroups: u32,
    /// Most threads in a workgroup.
    pub workgroup_threads: u32,
    /// Memory that the threads of a workgroup share, in bytes.
    pub workgroup_bytes: u32,
    /// Most tensors that one kernel can read and write.
    pub tensors: u32,
    /// What offsets into the buffer of parameters are a multiple of, in bytes.
    pub params_alignment: u32,
    /// Most rounds that all loops of one invocation run together before the device ends them; `u32::MAX` where it
    /// does not.
    ///
    /// Mesa's llvmpipe, the software Vulkan of Linux, ends every loop after 65,535 rounds of an invocation, without
    /// a word. What asks for more there runs another way, with more invocations, or is refused when it is planned.
    pub rounds: u32,
    /// Fewest and most invocations of a subgroup; `None` where shaders know no subgroups.
    pub subgroups: Option<[u32; 2]>,
    /// Whether its shaders can compute with 16-bit floats.
    pub f16: bool,
    /// Whether its shaders can widen 16-bit floats, as nearly all can. For one that cannot, constants of
    /// f16 are widened when a program is opened, and take the memory of f32.
    pub halves: bool,
}

impl Limits {
    /// Whether a dispatch can run.
    pub(super) fn meet(&self, dispatch: &Dispatch) -> bool {
        self.missing(&dispatch.needs).is_none()
            && dispatch.workgroups.iter().all(|count| *count <= self.workgroups)
    }

    /// What a dispatch needs that the device has not.
    pub(super) fn missing(&self, needs: &Needs) -> Option<String> {
        if needs.subgroups && self.subgroups.is_none() {
            return Some("subgroups, which the device has not".into());
        }
        if needs.precision.needs_f16() && !self.f16 {
            return Some("arithmetic in f16, which the device has not".into());
        }
        let (asked, most) = (needs.workgroup_bytes, self.workgroup_bytes);
        if asked > most {
            return Some(format!("{asked} bytes that a workgroup shares; the device has {most}"));
        }
        let (asked, most) = (needs.rounds, self.rounds);
        (asked > most).then(|| format!("loops of {asked} rounds in an invocation; the device runs {most}"))
    }

    pub(super) fn are_of_twins(&self) -> bool {
        *self == Self::twins()
    }

    /// The twins run no shaders: they are limited by memory alone.
    pub(super) fn twins() -> Self {
        Self {
            buffer_bytes: u64::MAX,
            binding_bytes: u64::MAX,
            workgroups: u32::MAX,
            workgroup_threads: u32::MAX,
            workgroup_bytes: u32::MAX,
            tensors: u32::MAX,
            params_alignment: 16,
            rounds: u32::MAX,
            subgroups: Some([1, 1]),
            f16: true,
            halves: true,
        }
    }
}
