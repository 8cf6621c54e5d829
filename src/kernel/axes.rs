//! Loops over the axes of tensors that lie in memory with strides, as few of them as do.

use super::rule;
use crate::error::Cause;

/// Most axes that a shader is given.
pub(super) const MOST: usize = 8;

/// One loop: how often, and how far to go in each of `N` tensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis<const N: usize> {
    pub(super) len: usize,
    pub(super) strides: [usize; N],
}

/// Loops, the outermost first. There is at least one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axes<const N: usize>(Vec<Axis<N>>);

impl<const N: usize> Axes<N> {
    /// As few loops as go the same way: axes of 1 are left out, and axes that are one walk are joined.
    pub(super) fn new(axes: impl IntoIterator<Item = Axis<N>>) -> Self {
        let mut few: Vec<Axis<N>> = Vec::new();
        for axis in axes.into_iter().filter(|axis| axis.len != 1) {
            match few.last_mut() {
                Some(outer) if outer.strides == axis.strides.map(|stride| stride * axis.len) => {
                    *outer = Axis { len: outer.len * axis.len, strides: axis.strides };
                }
                _ => few.push(axis),
            }
        }
        if few.is_empty() {
            few.push(Axis { len: 1, strides: [0; N] });
        }
        Self(few)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// How often the innermost loop body runs.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|axis| axis.len).product()
    }

    pub(super) fn innermost(&self) -> Axis<N> {
        self.0[self.0.len() - 1]
    }

    /// An error where there are more loops than a shader is given.
    pub(super) fn check(&self) -> Result<(), Cause> {
        if self.count() <= MOST {
            return Ok(());
        }
        Err(Cause::msg(format!("the shapes ask for {} nested loops; up to {MOST} would fit", self.count())))
    }

    /// `array<vec4<u32>, 8>` of a shader: length, then strides.
    pub(super) fn packed(&self) -> [[u32; 4]; MOST] {
        let mut packed = [[0; 4]; MOST];
        for (packed, axis) in packed.iter_mut().zip(&self.0) {
            packed[0] = axis.len as u32;
            for (packed, stride) in packed[1..].iter_mut().zip(axis.strides) {
                *packed = stride as u32;
            }
        }
        packed
    }
}

/// Strides of a row-major tensor.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Strides by which a tensor of `shape` is read as if it had the shape `wide`: 0 where it is repeated.
fn repeated(shape: &[usize], wide: &[usize]) -> Vec<usize> {
    let added = std::iter::repeat_n(0, wide.len() - shape.len());
    let own = strides(shape).into_iter().zip(shape).map(|(stride, &len)| if len == 1 { 0 } else { stride });
    added.chain(own).collect()
}

/// The shape that all of these can be repeated to, aligned at the last axis: axes are equal or 1.
pub(super) fn broadcast(shapes: &[&[usize]]) -> Option<Vec<usize>> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut wide = vec![1; rank];
    for shape in shapes {
        for (wide, &len) in wide[rank - shape.len()..].iter_mut().zip(*shape) {
            match (*wide, len) {
                (1, len) => *wide = len,
                (wide, len) if wide == len || len == 1 => {}
                _ => return None,
            }
        }
    }
    rule::size(&wide).map(|_| wide)
}

/// The loops in which `N` tensors are read as if they had the shape `wide`.
pub(super) fn together<const N: usize>(shapes: [&[usize]; N], wide: &[usize]) -> Axes<N> {
    let strides = shapes.map(|shape| repeated(shape, wide));
    let axis =
        |(place, &len): (usize, &usize)| Axis { len, strides: std::array::from_fn(|n| strides[n][place]) };
    Axes::new(wide.iter().enumerate().map(axis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shapes_are_one_loop() {
        let axes = together([&[4, 1, 3, 2], &[4, 1, 3, 2]], &[4, 1, 3, 2]);
        assert_eq!(axes, Axes(vec![Axis { len: 24, strides: [1, 1] }]));
    }

    #[test]
    fn a_number_a_channel_is_two_loops() {
        let axes = together([&[4, 3, 2], &[4, 1, 1]], &[4, 3, 2]);
        let wanted = vec![Axis { len: 4, strides: [6, 1] }, Axis { len: 6, strides: [1, 0] }];
        assert_eq!(axes, Axes(wanted));
    }

    #[test]
    fn one_value_is_one_loop() {
        assert_eq!(together([&[], &[1, 1]], &[1, 1]), Axes(vec![Axis { len: 1, strides: [0, 0] }]));
    }

    #[test]
    fn shapes_are_aligned_at_the_last_axis() {
        assert_eq!(broadcast(&[&[3, 1], &[4]]), Some(vec![3, 4]));
        assert_eq!(broadcast(&[&[], &[2, 1, 4]]), Some(vec![2, 1, 4]));
        assert_eq!(broadcast(&[&[3], &[4]]), None);
        assert_eq!(broadcast(&[&[1 << 20, 1], &[1 << 20]]), None);
        assert_eq!(broadcast(&[&[0], &[1]]), None);
    }
}
