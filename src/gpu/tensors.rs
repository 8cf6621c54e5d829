//! What a program gives for a batch: named tensors, and one document's row of them.

use std::ops::{Deref, Index, Range};
use std::sync::Arc;
use std::time::Duration;

use bytemuck::TransparentWrapper;
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};

use super::shelf::Shelf;
use crate::kernel::Element;
use crate::kernel::ints::NONE;
use crate::stage::{IntoRows, Output, Rows};

/// Name and element of an output.
#[derive(Clone, Debug)]
pub(super) struct Named {
    name: String,
    element: Element,
}

impl Named {
    pub(super) fn new(name: &str, element: Element) -> Self {
        Self { name: name.into(), element }
    }
}

/// The named outputs of a program for one batch. The first axis of each is the batch.
///
/// Its memory goes back to the program when it is dropped.
///
/// ```
/// # use gapless::gpu::Tensors;
/// # use gapless::{Output, Rows};
/// # fn show(tensors: Tensors) {
/// assert_eq!(tensors["prob"].shape(), [tensors.rows().unwrap(), 1000]);
/// println!("{}", tensors.row(0)["prob"].argmax());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Tensors {
    names: Arc<[Named]>,
    arrays: Vec<ArrayD<f32>>,
    rows: usize,
    pub(super) span: Option<Range<Duration>>,
    shelf: Arc<Shelf>,
}

impl Tensors {
    /// Tensors of `rows` rows; `values` holds one row-major vector an output, with the shape of one item.
    pub(super) fn new<'a>(
        names: &Arc<[Named]>,
        rows: usize,
        values: impl Iterator<Item = (&'a [usize], Vec<f32>)>,
        shelf: &Arc<Shelf>,
    ) -> Self {
        let array = |(shape, values): (&[usize], Vec<f32>)| {
            let shape: Vec<usize> = [rows].iter().chain(shape).copied().collect();
            ArrayD::from_shape_vec(IxDyn(&shape), values).expect("a row of every output for every item")
        };
        Self {
            names: names.clone(),
            arrays: values.map(array).collect(),
            rows,
            span: None,
            shelf: shelf.clone(),
        }
    }

    /// The tensor with this name, if the program has such an output of floats.
    pub fn get(&self, name: &str) -> Option<&ArrayD<f32>> {
        self.place(name, Element::F32).map(|place| &self.arrays[place])
    }

    /// The tensor with this name, if the program has such an output of whole numbers
    /// ([`Element::I32`](crate::kernel::Element::I32)).
    ///
    /// ```
    /// use gapless::kernel::{Cast, Spec};
    /// use gapless::{Gpu, Program};
    /// use ndarray::arr1;
    /// let mut net = Program::new(&Gpu::cpu());
    /// let x = net.input("x", Spec::floats(&[2]))?;
    /// let y = net.add(Cast::to_ints(), &[x])?;
    /// net.output("y", y)?;
    /// let tensors = net.run_once(&arr1(&[2.5_f32, -7.9]))?;
    /// assert_eq!(tensors.ints("y").unwrap().as_slice(), Some(&[2, -7][..]));
    /// assert!(tensors.get("y").is_none());
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn ints(&self, name: &str) -> Option<ArrayViewD<'_, i32>> {
        self.place(name, Element::I32).map(|place| self.ints_at(place))
    }

    fn ints_at(&self, place: usize) -> ArrayViewD<'_, i32> {
        let array = &self.arrays[place];
        let values = array.as_slice().expect("outputs are in row-major order");
        let ints = ArrayViewD::from_shape(array.raw_dim(), bytemuck::cast_slice(values));
        ints.expect("as many of 32 bits")
    }

    /// Names and tensors of the outputs of floats, in the order in which the program named them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ArrayD<f32>)> {
        let floats = self.names.iter().zip(&self.arrays).filter(|(named, _)| named.element != Element::I32);
        floats.map(|(named, array)| (&named.name[..], array))
    }

    /// The tensors to keep, in the order in which the program named its outputs. Whole numbers become the nearest floats,
    /// and NaN where they are none.
    pub fn into_arrays(mut self) -> Vec<ArrayD<f32>> {
        let float = |&value: &i32| if value == NONE { f32::NAN } else { value as f32 };
        for place in (0..self.arrays.len()).filter(|&place| self.names[place].element == Element::I32) {
            self.arrays[place] = self.ints_at(place).map(float);
        }
        std::mem::take(&mut self.arrays)
    }

    /// When the device began and ended this batch, by its own clock, whose zero means nothing.
    ///
    /// From the copy up to the copy down, or the kernels alone where the device takes times only
    /// around them (Metal). The gap between the end of one batch and the beginning of the next is time
    /// in which the device had nothing to do. `None` on the twins and where the device has no clock.
    pub fn device_span(&self) -> Option<Range<Duration>> {
        self.span.clone()
    }

    fn no_output(&self, name: &str) -> ! {
        let names: Vec<&str> = self.names.iter().map(|named| &named.name[..]).collect();
        assert!(!names.contains(&name), "the output {name:?} is of whole numbers, which `ints` gives");
        panic!("no output is called {name:?}; there is {names:?}")
    }

    fn place(&self, name: &str, element: Element) -> Option<usize> {
        self.names.iter().position(|other| other.name == name && other.element == element)
    }
}

/// # Panics
/// If the program has no output of this name; [`Tensors::get`] does not.
impl Index<&str> for Tensors {
    type Output = ArrayD<f32>;

    fn index(&self, name: &str) -> &ArrayD<f32> {
        self.get(name).unwrap_or_else(|| self.no_output(name))
    }
}

impl Drop for Tensors {
    fn drop(&mut self) {
        for array in self.arrays.drain(..) {
            self.shelf.give(array.into_raw_vec_and_offset().0);
        }
    }
}

impl Output for Tensors {
    fn rows(&self) -> Option<usize> {
        Some(self.rows)
    }
}

impl Rows for Tensors {
    type Row<'a> = Row<'a>;

    fn row(&self, index: usize) -> Row<'_> {
        assert!(index < self.rows, "row {index} of {}", self.rows);
        Row { tensors: self, index }
    }
}

impl IntoRows for Tensors {
    type Own = OwnRow;

    fn into_rows(self) -> impl Iterator<Item = OwnRow> {
        let (rows, tensors) = (self.rows, Arc::new(self));
        (0..rows).map(move |index| OwnRow { tensors: tensors.clone(), index })
    }
}

/// One document's part of [`Tensors`], to keep. The rows of a batch share its memory, which is given back with the
/// last of them.
#[derive(Clone, Debug)]
pub struct OwnRow {
    tensors: Arc<Tensors>,
    index: usize,
}

impl OwnRow {
    /// The row, to ask for its outputs.
    pub fn row(&self) -> Row<'_> {
        self.tensors.row(self.index)
    }
}

/// # Panics
/// If the program has no output of this name; [`Row::get`] does not.
impl Index<&str> for OwnRow {
    type Output = Flat;

    fn index(&self, name: &str) -> &Flat {
        self.row().get(name).unwrap_or_else(|| self.tensors.no_output(name))
    }
}

/// One document's part of [`Tensors`].
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    tensors: &'a Tensors,
    index: usize,
}

impl<'a> Row<'a> {
    /// The values of the output with this name in row-major order, if there is such an output.
    pub fn get(&self, name: &str) -> Option<&'a Flat> {
        let tensor = self.tensors.get(name)?;
        let len: usize = tensor.shape()[1..].iter().product();
        let values = tensor.as_slice().expect("outputs are in row-major order");
        Some(Flat::wrap_ref(&values[self.index * len..][..len]))
    }

    /// The whole numbers of the output with this name in its shape, without the batch axis, if there is such an output.
    pub fn ints(&self, name: &str) -> Option<ArrayViewD<'a, i32>> {
        self.tensors.ints(name).map(|tensor| tensor.index_axis_move(Axis(0), self.index))
    }

    /// The same of whole numbers as `iter` of floats.
    fn whole(&self) -> impl Iterator<Item = (&'a str, ArrayViewD<'a, i32>)> + use<'a> {
        let row = *self;
        row.tensors.names.iter().filter_map(move |named| Some((&named.name[..], row.ints(&named.name)?)))
    }

    /// Names of the outputs of floats and their values in their shapes, without the batch axis, in the order in which
    /// the program named them.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, ArrayViewD<'a, f32>)> + use<'a> {
        let index = self.index;
        self.tensors.iter().map(move |(name, tensor)| (name, tensor.index_axis(Axis(0), index)))
    }

    /// The output with this name in its shape, without the batch axis.
    ///
    /// # Panics
    /// If the program has no output of this name.
    pub fn view(&self, name: &str) -> ArrayViewD<'a, f32> {
        self.tensors[name].index_axis(Axis(0), self.index)
    }
}

/// The same names with the same shapes and values, in the same order.
impl PartialEq for Row<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter()) && self.whole().eq(other.whole())
    }
}

/// # Panics
/// If the program has no output of this name; [`Row::get`] does not.
impl Index<&str> for Row<'_> {
    type Output = Flat;

    fn index(&self, name: &str) -> &Flat {
        self.get(name).unwrap_or_else(|| self.tensors.no_output(name))
    }
}

/// The values of one output for one document, in row-major order: a slice that knows its largest value.
///
/// [`Row::view`] gives the same values in their shape.
#[derive(Debug, PartialEq, TransparentWrapper)]
#[repr(transparent)]
pub struct Flat([f32]);

impl Flat {
    /// Index of the largest value; the first where several are equal. NaN is never the largest.
    pub fn argmax(&self) -> usize {
        let larger = |best: usize, index: usize| {
            let (kept, value) = (self.0[best], self.0[index]);
            if value > kept || (kept.is_nan() && !value.is_nan()) { index } else { best }
        };
        (0..self.0.len()).reduce(larger).unwrap_or(0)
    }
}

impl Deref for Flat {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors() -> Tensors {
        let named = |name| Named::new(name, Element::F32);
        let names: Arc<[Named]> = [named("prob"), named("box")].into();
        let prob = (&[3][..], vec![0.1, 0.9, 0.9, 1.0, f32::NAN, 3.0]);
        let boxes = (&[2, 1][..], vec![1.0, 2.0, 3.0, 4.0]);
        Tensors::new(&names, 2, [prob, boxes].into_iter(), &Arc::new(Shelf::new(2)))
    }

    #[test]
    fn a_row_knows_its_largest_value_and_its_shape() {
        let tensors = tensors();
        assert_eq!(tensors.row(0)["prob"].argmax(), 1);
        assert_eq!(tensors.row(1)["prob"].argmax(), 2);
        assert_eq!(&tensors.row(1)["box"][..], [3.0, 4.0]);
        assert_eq!(tensors.row(1).view("box").shape(), [2, 1]);
        assert_eq!(tensors.rows(), Some(2));
    }

    #[test]
    fn nan_is_the_largest_only_among_its_own() {
        assert_eq!(Flat::wrap_ref(&[f32::NAN, -1.0][..]).argmax(), 1);
        assert_eq!(Flat::wrap_ref(&[f32::NAN, f32::NAN][..]).argmax(), 0);
    }

    #[test]
    fn a_name_that_is_not_there_is_none() {
        assert!(tensors().get("logits").is_none());
        assert!(tensors().row(0).get("logits").is_none());
    }

    #[test]
    fn dropped_tensors_leave_their_memory() {
        let tensors = tensors();
        let shelf = tensors.shelf.clone();
        let memory = tensors["prob"].as_ptr();
        drop(tensors);
        let taken = shelf.take(6);
        assert_eq!(taken.as_ptr(), memory);
    }
}
