//! What a program takes for one document: an array for every input.

use ndarray::{Array, ArrayD, ArrayViewD, CowArray, Dimension, IxDyn};

use super::plan::PlannedInput;
use super::scalar::Scalar;
use crate::kernel::{Element, Spec, Values};

/// What a program takes for one document: an array for every input, in the order in which the inputs
/// were named.
///
/// One array for a program with one input; a tuple or a vector of arrays for one with several.
///
/// ```
/// use gapless::gpu::Item;
/// use ndarray::{Array1, Array3};
/// let photo = Array3::<u8>::zeros((8, 8, 3));
/// assert_eq!(photo.arrays(), 1);
/// assert_eq!((photo, Array1::<f32>::zeros(4)).arrays(), 2);
/// ```
pub trait Item: Send + 'static {
    /// What all its arrays are made of; `None` where that is known by looking only.
    const ELEMENT: Option<Element>;

    /// How many arrays it has.
    fn arrays(&self) -> usize;

    /// The array for the input at `index`, which is less than [`arrays`](Self::arrays).
    fn array(&self, index: usize) -> Values<'_>;
}

impl<T: Scalar, D: Dimension + 'static> Item for Array<T, D> {
    const ELEMENT: Option<Element> = Some(T::ELEMENT);

    fn arrays(&self) -> usize {
        1
    }

    fn array(&self, _index: usize) -> Values<'_> {
        T::values(self.view().into_dyn())
    }
}

impl<T: Scalar> Item for Vec<ArrayD<T>> {
    const ELEMENT: Option<Element> = Some(T::ELEMENT);

    fn arrays(&self) -> usize {
        self.len()
    }

    fn array(&self, index: usize) -> Values<'_> {
        T::values(self[index].view())
    }
}

impl<A: Item, B: Item> Item for (A, B) {
    const ELEMENT: Option<Element> = None;

    fn arrays(&self) -> usize {
        self.0.arrays() + self.1.arrays()
    }

    fn array(&self, index: usize) -> Values<'_> {
        match index.checked_sub(self.0.arrays()) {
            None => self.0.array(index),
            Some(index) => self.1.array(index),
        }
    }
}

impl<A: Item, B: Item, C: Item> Item for (A, B, C) {
    const ELEMENT: Option<Element> = None;

    fn arrays(&self) -> usize {
        self.0.arrays() + self.1.arrays() + self.2.arrays()
    }

    fn array(&self, index: usize) -> Values<'_> {
        let [a, b] = [self.0.arrays(), self.1.arrays()];
        match index {
            _ if index < a => self.0.array(index),
            _ if index < a + b => self.1.array(index - a),
            _ => self.2.array(index - a - b),
        }
    }
}

/// A batch of items whose type is forgotten: what runs a program is compiled once, and not for every item.
pub(super) trait AnyBatch {
    fn rows(&self) -> usize;

    fn array(&self, row: usize, index: usize) -> Values<'_>;
}

/// The items of a batch.
pub(super) struct Items<'a, I>(pub(super) &'a [I]);

impl<I: Item> AnyBatch for Items<'_, I> {
    fn rows(&self) -> usize {
        self.0.len()
    }

    fn array(&self, row: usize, index: usize) -> Values<'_> {
        self.0[row].array(index)
    }
}

/// Whether `values` are what `input` takes: its elements in its shape, or floats that are whole numbers where it takes
/// such.
pub(super) fn fits(values: &Values<'_>, input: &Spec) -> bool {
    match values {
        Values::F32(view) if input.element == Element::I32 => {
            view.shape() == input.shape && view.iter().all(|&value| whole(value).is_some())
        }
        _ => spec_of(values) == *input,
    }
}

fn whole(value: f32) -> Option<i32> {
    (value.fract() == 0.0 && value.abs() < -(i32::MIN as f32)).then_some(value as i32)
}

pub(super) fn spec_of(values: &Values<'_>) -> Spec {
    match values {
        Values::U8(view) => Spec::bytes(view.shape()),
        Values::F32(view) => Spec::floats(view.shape()),
        Values::I32(view) => Spec::ints(view.shape()),
    }
}

/// An array in row-major order, copied only where it has another.
pub(super) enum RowMajor<'a> {
    U8(CowArray<'a, u8, IxDyn>),
    F32(CowArray<'a, f32, IxDyn>),
    I32(CowArray<'a, i32, IxDyn>),
}

impl<'a> RowMajor<'a> {
    /// What fits an input, as it takes it.
    pub(super) fn new(values: Values<'a>, input: &Spec) -> Self {
        match values {
            Values::F32(view) if input.element == Element::I32 => {
                Self::I32(view.mapv(|value| value as i32).as_standard_layout().into_owned().into())
            }
            Values::U8(view) => Self::U8(row_major(view)),
            Values::F32(view) => Self::F32(row_major(view)),
            Values::I32(view) => Self::I32(row_major(view)),
        }
    }

    pub(super) fn zeros(input: &PlannedInput) -> Self {
        let shape = IxDyn(&input.spec.shape);
        match input.spec.element {
            Element::U8 => Self::U8(ArrayD::zeros(shape).into()),
            Element::F32 => Self::F32(ArrayD::zeros(shape).into()),
            Element::I32 => Self::I32(ArrayD::zeros(shape).into()),
            Element::F16 | Element::I8 => unreachable!("constants alone are of these"),
        }
    }

    pub(super) fn values(&self) -> Values<'_> {
        match self {
            Self::U8(array) => Values::U8(array.view()),
            Self::F32(array) => Values::F32(array.view()),
            Self::I32(array) => Values::I32(array.view()),
        }
    }
}

fn row_major<T: Clone>(view: ArrayViewD<'_, T>) -> CowArray<'_, T, IxDyn> {
    if view.is_standard_layout() {
        return CowArray::from(view);
    }
    view.as_standard_layout().into_owned().into()
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;

    #[test]
    fn arrays_of_nested_items_stand_in_their_order() {
        let one = |len: usize| Array1::<f32>::zeros(len);
        let item = ((one(1), one(2)), vec![one(3).into_dyn(), one(4).into_dyn()], Array1::<u8>::zeros(5));
        let lens: Vec<usize> = (0..item.arrays()).map(|index| spec_of(&item.array(index)).len()).collect();
        assert_eq!(lens, [1, 2, 3, 4, 5]);
        assert_eq!(spec_of(&item.array(4)), Spec::bytes(&[5]));
    }
}
