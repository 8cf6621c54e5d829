//! Values of tensors on the CPU, as twins read and write them.

use ndarray::{ArrayViewD, ArrayViewMutD, Axis, IxDyn};

use super::{Element, ItemEpilogue};

/// One item of a tensor on the CPU, without the batch axis.
#[derive(Clone, Debug)]
pub enum Values<'a> {
    /// Bytes.
    U8(ArrayViewD<'a, u8>),
    /// Floats.
    F32(ArrayViewD<'a, f32>),
    /// Whole numbers.
    I32(ArrayViewD<'a, i32>),
}

/// One item of what a kernel gives on the CPU, without the batch axis.
#[derive(Debug)]
#[non_exhaustive]
pub enum ValuesMut<'a> {
    /// Floats.
    F32(ArrayViewMutD<'a, f32>),
    /// Whole numbers.
    I32(ArrayViewMutD<'a, i32>),
}

impl<'a> ValuesMut<'a> {
    /// Row-major values of this element, seen in this shape. The memory of a tensor is that of floats.
    pub(crate) fn of(element: Element, shape: &[usize], memory: &'a mut [f32]) -> Self {
        const FITS: &str = "the buffer fits its tensor";
        let shape = IxDyn(shape);
        match element {
            Element::I32 => {
                let memory = bytemuck::cast_slice_mut(memory);
                Self::I32(ArrayViewMutD::from_shape(shape, memory).expect(FITS))
            }
            _ => Self::F32(ArrayViewMutD::from_shape(shape, memory).expect(FITS)),
        }
    }

    /// The same for a shorter time.
    pub(super) fn again(&mut self) -> ValuesMut<'_> {
        match self {
            Self::F32(view) => ValuesMut::F32(view.view_mut()),
            Self::I32(view) => ValuesMut::I32(view.view_mut()),
        }
    }

    /// Does what follows to all of them, of which the first stands at this place of its item.
    pub(super) fn finish(&mut self, place: usize, epilogue: &ItemEpilogue<'_>) {
        if let Self::F32(view) = self {
            epilogue.apply(place, view.as_slice_mut().expect("the memory of a tensor is in one piece"));
        }
    }

    /// The floats, for twins whose shape rule gives no whole numbers.
    ///
    /// # Panics
    /// If they are whole numbers.
    pub fn floats(self) -> ArrayViewMutD<'a, f32> {
        match self {
            Self::F32(view) => view,
            Self::I32(_) => panic!("the shape rule gives floats, and the output is of i32"),
        }
    }
}

impl<'a> Values<'a> {
    /// Row-major values of this element, seen in this shape. The memory of a tensor is that of floats.
    pub(crate) fn of(element: Element, shape: &[usize], memory: &'a [f32]) -> Self {
        const FITS: &str = "the buffer fits its tensor";
        let shape = IxDyn(shape);
        match element {
            Element::I32 => {
                Self::I32(ArrayViewD::from_shape(shape, bytemuck::cast_slice(memory)).expect(FITS))
            }
            _ => Self::F32(ArrayViewD::from_shape(shape, memory).expect(FITS)),
        }
    }

    pub(crate) fn in_shape(self, shape: &[usize]) -> Self {
        const FITS: &str = "a view has the elements of its tensor, in row-major order";
        match self {
            Self::U8(view) => Self::U8(view.into_shape_with_order(shape).expect(FITS)),
            Self::F32(view) => Self::F32(view.into_shape_with_order(shape).expect(FITS)),
            Self::I32(view) => Self::I32(view.into_shape_with_order(shape).expect(FITS)),
        }
    }
}

impl Values<'_> {
    /// The same values, which are in row-major order, in another shape with as many elements.
    pub(crate) fn shaped(&self, shape: &[usize]) -> Values<'_> {
        match self {
            Self::U8(view) => Values::U8(view.view()).in_shape(shape),
            Self::F32(view) => Values::F32(view.view()).in_shape(shape),
            Self::I32(view) => Values::I32(view.view()).in_shape(shape),
        }
    }

    /// All of them, for what follows a kernel, which takes floats in one piece.
    pub(crate) fn as_floats(&self) -> &[f32] {
        match self {
            Self::F32(view) => view.as_slice().expect("the memory of a tensor is in one piece"),
            Self::U8(_) | Self::I32(_) => unreachable!("what follows takes floats"),
        }
    }

    /// One part along the first axis, or all.
    pub(crate) fn part(&self, index: Option<usize>) -> Values<'_> {
        match (self, index) {
            (Self::U8(view), None) => Values::U8(view.view()),
            (Self::F32(view), None) => Values::F32(view.view()),
            (Self::I32(view), None) => Values::I32(view.view()),
            (Self::U8(view), Some(index)) => Values::U8(view.index_axis(Axis(0), index)),
            (Self::F32(view), Some(index)) => Values::F32(view.index_axis(Axis(0), index)),
            (Self::I32(view), Some(index)) => Values::I32(view.index_axis(Axis(0), index)),
        }
    }

    pub(super) fn shape(&self) -> &[usize] {
        match self {
            Self::U8(view) => view.shape(),
            Self::F32(view) => view.shape(),
            Self::I32(view) => view.shape(),
        }
    }

    /// The floats, for twins whose shape rule takes no bytes.
    pub(super) fn floats(&self) -> ArrayViewD<'_, f32> {
        match self {
            Self::F32(view) => view.view(),
            Self::U8(_) | Self::I32(_) => unreachable!("the shape rule takes floats"),
        }
    }

    /// The whole numbers, for twins whose shape rule takes nothing else.
    pub(super) fn ints(&self) -> ArrayViewD<'_, i32> {
        match self {
            Self::I32(view) => view.view(),
            Self::U8(_) | Self::F32(_) => unreachable!("the shape rule takes whole numbers"),
        }
    }
}
