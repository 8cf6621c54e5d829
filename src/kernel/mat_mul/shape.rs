//! The shape rule of a matrix product: sizes, and how leading axes are broadcast.

use crate::error::Cause;
use crate::kernel::{Spec, rule};

/// Most axes of an input, the two of its matrices included.
const MOST_AXES: usize = 8;

/// Sizes of the matrices; the leading axes of the output, right-aligned and filled up with 1 in front,
/// with how far a step on each goes in a and b.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shapes {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) leading: [usize; MOST_AXES],
    pub(super) a_steps: [usize; MOST_AXES],
    pub(super) b_steps: [usize; MOST_AXES],
}

impl Shapes {
    pub(super) fn new(a: &Spec, transpose_a: bool, b: &Spec, transpose_b: bool) -> Result<Self, Cause> {
        let ([m, k], a_leading) = matrix("a", a, transpose_a)?;
        let ([terms, n], b_leading) = matrix("b", b, transpose_b)?;
        if terms != k {
            return Err(rule::misfit("b", b, format!("matrices of {k} {} would fit", lines(transpose_b))));
        }
        let mut leading = [1; MOST_AXES];
        for (place, (&one, &other)) in leading.iter_mut().zip(a_leading.iter().zip(&b_leading)) {
            *place = match (one, other) {
                (1, size) | (size, 1) => size,
                (size, same) if size == same => size,
                _ => {
                    let wanted =
                        format!("leading axes that broadcast with those of a, {:?}, would fit", a.shape);
                    return Err(rule::misfit("b", b, wanted));
                }
            };
        }
        let (a_steps, b_steps) = (steps(&a_leading, m * k), steps(&b_leading, k * n));
        Ok(Self { m, n, k, leading, a_steps, b_steps })
    }

    /// Leading axes flattened into rows where one b multiplies all of them; a lies along its terms.
    pub(super) fn flattened(self) -> Self {
        if self.b_steps.iter().any(|step| *step > 0) {
            return self;
        }
        let m = self.m * self.leading.iter().product::<usize>();
        Self { m, leading: [1; MOST_AXES], a_steps: [0; MOST_AXES], ..self }
    }

    /// The shape of the output, with as many axes as the longer input has.
    pub(super) fn output(&self, axes: usize) -> Vec<usize> {
        let leading = &self.leading[MOST_AXES + 2 - axes..];
        leading.iter().copied().chain([self.m, self.n]).collect()
    }
}

fn lines(transposed: bool) -> &'static str {
    if transposed { "columns" } else { "rows" }
}

/// Rows and columns after the transposition, and the leading axes filled up with 1.
fn matrix(name: &str, spec: &Spec, transposed: bool) -> Result<([usize; 2], [usize; MOST_AXES]), Cause> {
    let axes = spec.shape.len();
    let ([leading @ .., rows, columns], 2..=MOST_AXES) = (&spec.shape[..], axes) else {
        return Err(rule::misfit(name, spec, "2 to 8 axes would fit"));
    };
    let mut filled = [1; MOST_AXES];
    filled[MOST_AXES - leading.len()..].copy_from_slice(leading);
    let sizes = if transposed { [*columns, *rows] } else { [*rows, *columns] };
    Ok((sizes, filled))
}

/// How far a step on each leading axis goes; 0 where there is one place only, so that it is broadcast.
fn steps(leading: &[usize; MOST_AXES], matrix: usize) -> [usize; MOST_AXES] {
    let mut steps = [0; MOST_AXES];
    let mut step = matrix;
    for (place, &size) in steps.iter_mut().zip(leading).rev() {
        *place = if size == 1 { 0 } else { step };
        step *= size;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_of_one_is_broadcast_by_a_step_of_nothing() {
        let (a, b) = (Spec::floats(&[3, 1, 4, 5]), Spec::constant(&[2, 5, 6]));
        let shapes = Shapes::new(&a, false, &b, false).unwrap();
        assert_eq!(shapes.output(4), [3, 2, 4, 6]);
        assert_eq!(shapes.leading, [1, 1, 1, 1, 1, 1, 3, 2]);
        assert_eq!(shapes.a_steps[6..], [20, 0]);
        assert_eq!(shapes.b_steps[6..], [0, 30]);
    }

    #[test]
    fn rows_that_one_matrix_multiplies_are_those_of_one_matrix() {
        let (a, one, many) =
            (Spec::floats(&[3, 2, 4, 5]), Spec::constant(&[5, 6]), Spec::constant(&[2, 5, 6]));
        let flat = Shapes::new(&a, false, &one, false).unwrap().flattened();
        assert_eq!((flat.m, flat.leading, flat.a_steps), (24, [1; 8], [0; 8]));
        let kept = Shapes::new(&a, false, &many, false).unwrap();
        assert_eq!(kept.flattened(), kept);
    }

    #[test]
    fn what_does_not_fit_is_named_with_what_would() {
        let error = |a: &[usize], b: &[usize]| {
            Shapes::new(&Spec::floats(a), false, &Spec::constant(b), true).unwrap_err().to_string()
        };
        assert_eq!(error(&[4, 5], &[6, 4]), "b is an f32 constant [6, 4]; matrices of 5 columns would fit");
        assert_eq!(
            error(&[2, 4, 5], &[3, 6, 5]),
            "b is an f32 constant [3, 6, 5]; leading axes that broadcast with those of a, [2, 4, 5], would fit"
        );
        assert_eq!(error(&[5], &[6, 5]), "a is an f32 activation [5]; 2 to 8 axes would fit");
    }
}
