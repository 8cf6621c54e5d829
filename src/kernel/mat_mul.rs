//! The product of two matrices, or of many.

mod few;
mod shaders;
mod shape;
mod twin;

use self::shape::Shapes;
use super::inputs::Inputs;
use super::params::params;
use super::product::{Factors, Tiling};
use super::{Dispatch, Element, Kernel, Spec, Values, ValuesMut, rule};
use crate::error::Cause;

/// `a · b + bias`: a `[.., m, k]`, b `[.., k, n]` and, where there is one, bias `[n]`, to `[.., m, n]`. What
/// is done to each value behind it, such as an activation function, needs no pass of its own.
///
/// Leading axes are broadcast as numpy does it. Each input may be an activation or a constant; at least
/// one of a and b is an activation, and the other may be a constant of f16 or i8.
///
/// ```
/// use gapless::kernel::{Kernel, MatMul, Spec};
/// let (x, weight, bias) = (Spec::floats(&[12, 49, 64]), Spec::constant(&[96, 64]), Spec::constant(&[96]));
/// let product = MatMul::new().transpose_b(true);
/// assert_eq!(product.output(&[&x, &weight, &bias])?, Spec::floats(&[12, 49, 96]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct MatMul {
    transpose_a: bool,
    transpose_b: bool,
}

params! {
    /// Mirrors `Params` of `shaders/mat_mul*.wgsl`.
    struct MatMulParams {
        leading: [u32; 8],
        a_leading: [u32; 8],
        b_leading: [u32; 8],
        m: u32,
        n: u32,
        k: u32,
        a_item: u32,
        b_item: u32,
        a_row: u32,
        a_term: u32,
        b_term: u32,
        b_column: u32,
        out_len: u32,
        tiles_down: u32,
        tiles_across: u32,
        work: u32,
        unused: [u32; 3],
    }
}

impl MatMul {
    /// The plain product.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a is `[.., k, m]`; by default it is not.
    pub fn transpose_a(mut self, transpose: bool) -> Self {
        self.transpose_a = transpose;
        self
    }

    /// Whether b is `[.., n, k]`, as the weights of a fully connected layer are; by default it is not.
    pub fn transpose_b(mut self, transpose: bool) -> Self {
        self.transpose_b = transpose;
        self
    }

    pub(crate) fn transposes_a(&self) -> bool {
        self.transpose_a
    }

    pub(crate) fn transposes_b(&self) -> bool {
        self.transpose_b
    }

    fn shapes(&self, inputs: &[&Spec]) -> Result<Shapes, Cause> {
        Shapes::new(inputs[0], self.transpose_a, inputs[1], self.transpose_b)
    }

    /// The same, where all rows that one b multiplies are those of one matrix.
    fn flattened(&self, inputs: &[&Spec]) -> Shapes {
        let shapes = self.shapes(inputs).expect("the shape rule took them");
        if self.transpose_a { shapes } else { shapes.flattened() }
    }

    fn params(&self, inputs: &[&Spec], output: &Spec, [rows, columns]: [usize; 2]) -> MatMulParams {
        let shapes = self.flattened(inputs);
        let Shapes { m, n, k, .. } = shapes;
        let item = |input: &Spec| if input.batched { input.len() as u32 } else { 0 };
        let (tiles_down, tiles_across) = (m.div_ceil(rows), n.div_ceil(columns));
        let [a_row, a_term] = if self.transpose_a { [1, m] } else { [k, 1] };
        let [b_term, b_column] = if self.transpose_b { [1, k] } else { [n, 1] };
        MatMulParams {
            leading: shapes.leading.map(|axis| axis as u32),
            a_leading: shapes.a_steps.map(|step| step as u32),
            b_leading: shapes.b_steps.map(|step| step as u32),
            m: m as u32,
            n: n as u32,
            k: k as u32,
            a_item: item(inputs[0]),
            b_item: item(inputs[1]),
            a_row: a_row as u32,
            a_term: a_term as u32,
            b_term: b_term as u32,
            b_column: b_column as u32,
            out_len: output.len() as u32,
            tiles_down: tiles_down as u32,
            tiles_across: tiles_across as u32,
            work: (output.len() / (m * n) * tiles_down * tiles_across) as u32,
            unused: [0; 3],
        }
    }
}

impl Kernel for MatMul {
    fn name(&self) -> &'static str {
        "mat_mul"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let taken = Inputs::take(inputs, ["a", "b"])?;
        let (a, b) = (taken.one, taken.other);
        rule::factor("a", a)?;
        rule::factor("b", b)?;
        if !a.batched && !b.batched {
            return Err(rule::misfit("b", b, "an activation would fit, since a is a constant too"));
        }
        let shapes = self.shapes(inputs)?;
        taken.check_bias(shapes.n)?;
        rule::output(&shapes.output(a.shape.len().max(b.shape.len())))
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        self.tiled(inputs, output, Tiling::Plain)
    }

    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        let Shapes { m, n, k, .. } = self.flattened(inputs);
        let along = [if self.transpose_a { m } else { k }, if self.transpose_b { k } else { n }, n];
        let factors = Factors {
            halves: inputs[..2].iter().any(|factor| factor.element == Element::F16),
            vectors: along.iter().all(|axis| axis.is_multiple_of(4)),
            rows_over_items: self.reaches_over_items(inputs),
            columns_over_items: false,
        };
        let mut tiled =
            Tiling::for_sizes([m, n, k], factors).map(|tiling| self.tiled(inputs, output, tiling));
        let plain = tiled.next();
        plain.into_iter().chain(few::variants(self, inputs, output)).chain(tiled).collect()
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        twin::run(self, inputs, output.floats());
    }

    fn multiply_adds(&self, inputs: &[&Spec], output: &Spec) -> u64 {
        let k = self.shapes(inputs).map_or(0, |shapes| shapes.k);
        output.len() as u64 * k as u64
    }
}
