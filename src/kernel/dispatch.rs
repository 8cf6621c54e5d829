//! What a kernel asks of a device.

use std::borrow::Cow;

use super::{Access, Needs};

/// What one kernel asks of a device. Plain data: it can be printed and tested.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    /// The kernel's name: its file, its label, its test and its bench.
    pub kernel: Cow<'static, str>,
    /// WGSL source.
    pub source: Cow<'static, str>,
    /// How the source reaches its tensors.
    pub access: Access,
    /// Pipeline-overridable constants of the source.
    pub constants: Vec<(Cow<'static, str>, f64)>,
    /// Workgroups for one item in x and y; the z is the batch.
    pub workgroups: [u32; 2],
    /// The parameters, laid out as the WGSL struct is.
    pub params: Vec<u8>,
    /// What not every device has.
    pub needs: Needs,
}
