//! Attention: rows of values weighed by how much rows of keys are like those that ask.

mod shaders;
mod shape;
mod twin;

use self::shape::Shapes;
use super::params::params;
use super::rearrange::View;
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// `softmax(cap(scale · q · kᵀ) + mask) · v`: q `[.., m, d]`, k `[.., n, d]`, v `[.., n, e]` and, where there is one, a mask
/// `[.., m, n]`, to `[.., m, e]`. The scores `[.., m, n]` are never in memory.
///
/// There are up to four leading axes, which are broadcast as numpy does it: heads that share keys have them once. e is
/// 256 at most, and reads are fewest where d and e are multiples of four. A row without a score that is a number, such as one that the mask
/// leaves nothing of, is NaN, as [`Softmax`](super::Softmax) gives it.
///
/// A plan puts it in the place of the product, the scale, the mask, the softmax and the product that models are written
/// with, and reads it the way that transpositions and slices before it say.
///
/// Source: Dao et al. 2022, *FlashAttention*; Milakov & Gimelshein 2018, *Online normalizer calculation for softmax*.
///
/// ```
/// use gapless::kernel::{Attention, Kernel, Spec};
/// let (q, kv) = (Spec::floats(&[12, 197, 64]), Spec::floats(&[12, 197, 64]));
/// assert_eq!(Attention::new(0.125).output(&[&q, &kv, &kv])?, q);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Attention {
    scale: f32,
    /// 0 where there is none.
    cap: f32,
    causal: bool,
    masked: bool,
    empty: Empty,
    /// How the inputs are seen, where it is not as they lie.
    seen: [Option<View>; 4],
}

/// What a row is that has no shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Empty {
    #[default]
    Nan = 0,
    Zero = 1,
    /// Zero where all its scores are minus infinity, as a mask makes them, and NaN where one is no number.
    ZeroIfUnseen = 2,
}

params! {
    /// Mirrors `Params` of `shaders/attention.wgsl`.
    struct AttentionParams {
        leading: [[u32; 4]; 4],
        mask_leading: [u32; 4],
        q_lies: [u32; 4],
        k_lies: [u32; 4],
        v_lies: [u32; 4],
        mask_lies: [u32; 4],
        work: u32,
        m: u32,
        n: u32,
        e: u32,
        scale: f32,
        cap: f32,
        causal: u32,
        empty: u32,
    }
}

impl Attention {
    /// Most columns of v: so many sums an invocation keeps.
    pub(crate) const MOST_COLUMNS: usize = 256;

    /// Without a mask; scores are multiplied by `scale`, which is `1 / √d` as a rule.
    pub fn new(scale: f32) -> Self {
        let (causal, masked, empty) = (false, false, Empty::Nan);
        Self { scale, cap: 0.0, causal, masked, empty, seen: [const { None }; 4] }
    }

    /// Scaled scores become `cap · tanh(score / cap)`, so none is larger in size; 0, as by default, leaves them as they are.
    pub fn softcap(mut self, cap: f32) -> Self {
        self.cap = cap;
        self
    }

    /// Whether row i sees keys up to `i + n - m` only; by default all.
    pub fn causal(mut self, causal: bool) -> Self {
        self.causal = causal;
        self
    }

    /// Whether the last input is a mask that is added to the scaled scores, `[.., m, n]`, constant or not; any axis may
    /// be 1. By default there is none.
    pub fn masked(mut self, masked: bool) -> Self {
        self.masked = masked;
        self
    }

    /// Whether a row without a score that is a number is 0; by default it is NaN.
    pub fn zero_for_none(mut self, zero: bool) -> Self {
        self.empty = if zero { Empty::Zero } else { Empty::Nan };
        self
    }

    /// Whether a row of which a mask leaves nothing is 0, as ONNX has it; by default it is NaN. A row is NaN all the same
    /// where a number of q or k is.
    pub fn zero_for_unseen(mut self, zero: bool) -> Self {
        self.empty = if zero { Empty::ZeroIfUnseen } else { Empty::Nan };
        self
    }

    /// The same that hides what comes later without a mask, which it has.
    pub(crate) fn as_causal(&self) -> Option<Self> {
        (self.masked && !self.causal).then(|| Self { masked: false, causal: true, ..self.clone() })
    }

    /// The same that sees its input at this place through a view of another tensor; none where it cannot.
    pub(crate) fn seeing(&self, input: usize, view: View) -> Option<Self> {
        let mut kernel = self.clone();
        *kernel.seen.get_mut(input)? = Some(view);
        Some(kernel)
    }

    fn shapes(&self, inputs: &[&Spec]) -> Result<Shapes, Cause> {
        Shapes::new(self, inputs)
    }
}

impl Kernel for Attention {
    fn name(&self) -> &str {
        "attention"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        if !self.cap.is_finite() || self.cap < 0.0 {
            return Err(Cause::msg(format!(
                "the cap is {}; a number that is not negative would fit",
                self.cap
            )));
        }
        rule::output(&self.shapes(inputs)?.output())
    }

    fn dispatch(&self, inputs: &[&Spec], _output: &Spec) -> Dispatch {
        let shapes = self.shapes(inputs).expect("the shape rule took them");
        let params = shapes.params(self, inputs);
        let [keys, terms, values] = [shapes.n, shapes.d, shapes.e].map(|length| length.div_ceil(4));
        let names = ["q", "k", "v", "mask"];
        Dispatch {
            kernel: "attention".into(),
            source: shaders::source(&shapes, inputs, self).into(),
            access: Access::ours(&names[..inputs.len()]),
            constants: Vec::new(),
            workgroups: grid::cover(params.work as usize, 64),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::all(&[
                rounds::nested(&[keys, terms.max(values)]),
                rounds::nested(&[4]),
            ])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        twin::run(self, inputs, output.floats());
    }

    fn multiply_adds(&self, inputs: &[&Spec], _output: &Spec) -> u64 {
        let Ok(Shapes { leading, m, n, d, e, .. }) = self.shapes(inputs) else { return 0 };
        leading.iter().product::<usize>() as u64 * (m * n * (d + e)) as u64
    }
}
