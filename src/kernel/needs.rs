//! What a dispatch needs that not every device has.

use std::borrow::Cow;

use super::Dispatch;

/// What a dispatch needs that not every device has. A plan offers a device what it can run, and no more.
///
/// ```
/// use gapless::kernel::Needs;
/// assert_eq!(Needs::default(), Needs { subgroups: false, f16: false, workgroup_bytes: 0 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs {
    /// Whether invocations of a subgroup exchange values (`subgroupAdd` and its like).
    pub subgroups: bool,
    /// Whether it computes with 16-bit floats (`enable f16;`). Beside a plainer variant it is offered only
    /// where [`Program::precision`](crate::Program::precision) allows it, since values are rounded.
    pub f16: bool,
    /// Memory that the invocations of a workgroup share, in bytes.
    pub workgroup_bytes: u32,
}

impl Needs {
    /// Nothing but so much memory of a workgroup.
    pub(super) fn workgroup_bytes(bytes: u32) -> Self {
        Self { workgroup_bytes: bytes, ..Self::default() }
    }
}

impl Dispatch {
    /// The name of the variant: the shader's, and behind it what it needs.
    ///
    /// ```
    /// use gapless::kernel::{Kernel, Softmax, Spec};
    /// let x = Spec::floats(&[1000]);
    /// let names: Vec<_> = Softmax::new().variants(&[&x], &x).iter().map(|way| way.variant().into_owned()).collect();
    /// assert_eq!(names, ["softmax", "softmax+subgroups"]);
    /// ```
    pub fn variant(&self) -> Cow<'_, str> {
        let named = [(self.needs.subgroups, "+subgroups"), (self.needs.f16, "+f16")];
        let needed: String = named.into_iter().filter_map(|(needs, name)| needs.then_some(name)).collect();
        if needed.is_empty() {
            Cow::Borrowed(&self.kernel)
        } else {
            Cow::Owned(format!("{}{needed}", self.kernel))
        }
    }
}
