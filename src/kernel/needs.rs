//! What a dispatch needs that not every device has.

use std::borrow::Cow;

use super::{Dispatch, Precision};

/// What a dispatch needs that not every device has. A plan offers a device what it can run, and no more.
///
/// ```
/// use gapless::kernel::{Needs, Precision};
/// assert_eq!(Needs::default(), Needs { subgroups: false, precision: Precision::Full, workgroup_bytes: 0, rounds: 0 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs {
    /// Whether invocations of a subgroup exchange values (`subgroupAdd` and its like).
    pub subgroups: bool,
    /// How exactly it computes. Anything but [`Full`](Precision::Full) needs 16-bit floats (`enable f16;`), and
    /// is offered beside a plainer variant only where [`Program::precision`](crate::Program::precision) allows it.
    pub precision: Precision,
    /// Memory that the invocations of a workgroup share, in bytes.
    pub workgroup_bytes: u32,
    /// Most rounds that all loops of one invocation run together, those of a loop within another counted as often
    /// as they are run, and one more each time that a loop is left. 0 where it has no loop.
    ///
    /// Some devices end every loop after so many, without a word, and go on with what is there by then: see
    /// [`Limits::rounds`](crate::gpu::Limits::rounds). A device is given no kernel that says that it needs more; one
    /// of your own with a loop that grows with its data must say how far.
    pub rounds: u32,
}

impl Needs {
    /// Nothing but so much memory of a workgroup.
    pub(super) fn workgroup_bytes(bytes: u32) -> Self {
        Self { workgroup_bytes: bytes, ..Self::default() }
    }

    /// Nothing but loops of so many rounds.
    pub(super) fn rounds(rounds: u32) -> Self {
        Self { rounds, ..Self::default() }
    }

    /// In words: what is not there in all variants.
    fn words(self) -> impl Iterator<Item = &'static str> {
        let precision = match self.precision {
            Precision::Full => None,
            Precision::Mixed => Some("mixed"),
            Precision::Half => Some("half"),
        };
        self.subgroups.then_some("subgroups").into_iter().chain(precision)
    }
}

impl Dispatch {
    /// The name of the variant: the shader's, and behind it what it needs: `subgroups`, and `mixed` or `half`, a
    /// lesser [`Precision`].
    ///
    /// ```
    /// use gapless::kernel::{Kernel, Softmax, Spec};
    /// let x = Spec::floats(&[1000]);
    /// let names: Vec<_> = Softmax::new().variants(&[&x], &x).iter().map(|way| way.variant().into_owned()).collect();
    /// assert_eq!(names, ["softmax", "softmax+subgroups"]);
    /// ```
    pub fn variant(&self) -> Cow<'_, str> {
        let words: String = self.needs.words().flat_map(|word| ["+", word]).collect();
        if words.is_empty() {
            Cow::Borrowed(&self.kernel)
        } else {
            Cow::Owned(format!("{}{words}", self.kernel))
        }
    }
}
