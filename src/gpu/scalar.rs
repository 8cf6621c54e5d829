//! Which numbers the items of a batch may be made of.

use ndarray::ArrayViewD;

use crate::kernel::ints::NONE;
use crate::kernel::{Element, Values};

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for f32 {}
    impl Sealed for i32 {}
}

/// What an item of a batch may be made of: `u8`, `f32` or `i32`.
///
/// The set is closed, since each needs a layout on the device.
pub trait Scalar: sealed::Sealed + bytemuck::Pod + Send + Sync {
    /// The element type of a tensor of these.
    const ELEMENT: Element;

    #[doc(hidden)]
    fn values(view: ArrayViewD<'_, Self>) -> Values<'_>;

    /// Whether it stands for a number that there is not.
    #[doc(hidden)]
    fn is_none(self) -> bool {
        false
    }
}

impl Scalar for u8 {
    const ELEMENT: Element = Element::U8;

    fn values(view: ArrayViewD<'_, Self>) -> Values<'_> {
        Values::U8(view)
    }
}

impl Scalar for f32 {
    const ELEMENT: Element = Element::F32;

    fn values(view: ArrayViewD<'_, Self>) -> Values<'_> {
        Values::F32(view)
    }

    fn is_none(self) -> bool {
        self.is_nan()
    }
}

impl Scalar for i32 {
    const ELEMENT: Element = Element::I32;

    fn values(view: ArrayViewD<'_, Self>) -> Values<'_> {
        Values::I32(view)
    }

    fn is_none(self) -> bool {
        self == NONE
    }
}
