//! Attention as one operator.

use ndarray::{Array2, ArrayD};

use super::arithmetic::{chosen, join};
use super::movement::{part, transposed};
use crate::error::Cause;
use crate::kernel::{Attention, BinaryOp, Concat};
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes;
use crate::onnx::tensor::{Kind, Tensor};
use crate::onnx::value::Value;

/// `softmax(cap(scale · q · kᵀ) + mask) · v` for every head, which stand in an axis of their own or side by side in
/// rows. Several heads of q may share one of k and v.
pub(super) fn attention(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    refuse_what_is_kept(call)?;
    let rows = call.shape(0)?.len() == 3;
    let q = heads(call, 0, "q_num_heads")?;
    let [k, v] = [heads(call, 1, "kv_num_heads")?, heads(call, 2, "kv_num_heads")?];
    let groups = Groups::of(q.shape(), k.shape(), v.shape())?;
    let scale = match call.float("scale", 0.0)? {
        0.0 => (groups.width as f32).sqrt().recip(),
        scale => scale,
    };
    let asked = Asked {
        scale,
        cap: call.float("softcap", 0.0)?,
        q: seen_as(q, groups.asking())?,
        k: seen_as(k, groups.shared(0))?,
        v: seen_as(v, groups.shared(1))?,
        mask: mask(call, &groups)?,
    };
    let given = asked.computed(call)?;
    let [batch, heads, m, e] = [groups.batch, groups.shared * groups.asking, groups.m, groups.e];
    let given = seen_as(given, vec![batch, heads, m, e])?;
    if !rows {
        return Ok(vec![given]);
    }
    let given = transposed(call, &given, &[0, 2, 1, 3])?;
    Ok(vec![seen_as(given, vec![batch, m, heads * e])?])
}

/// What a decoder keeps between its steps.
fn refuse_what_is_kept(call: &Call<'_>) -> Result<(), Cause> {
    if (4..call.count()).any(|index| call.has(index)) {
        return Err(Cause::msg("keys and values of former steps, or lengths of theirs, are not supported"));
    }
    if (1..4).any(|output| call.wants(output)) {
        return Err(Cause::msg("of its outputs the first alone is supported"));
    }
    Ok(())
}

/// An input as `[batch, heads, rows, width]`.
fn heads(call: &mut Call<'_>, index: usize, attribute: &str) -> Result<Value, Cause> {
    let x = call.value(index)?.clone();
    match x.shape()[..] {
        [_, _, _, _] => Ok(x),
        [batch, rows, width] => {
            let heads = usize::try_from(call.int(attribute, 0)?).unwrap_or(0);
            if heads == 0 || !width.is_multiple_of(heads) {
                return Err(Cause::msg(format!("rows of {width} are no {heads} heads ({attribute})")));
            }
            let apart = seen_as(x, vec![batch, rows, heads, width / heads])?;
            transposed(call, &apart, &[0, 2, 1, 3])
        }
        ref other => Err(Cause::msg(format!("its input {index} is {other:?}; three axes or four would fit"))),
    }
}

/// Heads of q by the head of k and v that they share.
struct Groups {
    batch: usize,
    /// Heads of k and v, and how many of q share each.
    shared: usize,
    asking: usize,
    /// Rows of q, and of k and v.
    m: usize,
    n: usize,
    /// Columns of q and k, and of v.
    width: usize,
    e: usize,
}

impl Groups {
    fn of(q: &[usize], k: &[usize], v: &[usize]) -> Result<Self, Cause> {
        let misfit = || Cause::msg(format!("q {q:?}, k {k:?} and v {v:?} do not fit each other"));
        let [&[batch, heads, m, width], &[k_batch, shared, n, k_width], &[v_batch, v_heads, v_rows, e]] =
            [q, k, v]
        else {
            return Err(misfit());
        };
        let alike = [(batch, k_batch), (batch, v_batch), (shared, v_heads), (n, v_rows), (width, k_width)];
        let fits =
            alike.iter().all(|(one, other)| one == other) && shared > 0 && heads.is_multiple_of(shared);
        if !fits {
            return Err(misfit());
        }
        Ok(Self { batch, shared, asking: heads / shared, m, n, width, e })
    }

    /// The shape of q: heads that share one of k and v beside each other.
    fn asking(&self) -> Vec<usize> {
        let Self { batch, shared, asking, m, width, .. } = *self;
        if asking == 1 { vec![batch, shared, m, width] } else { vec![batch, shared, asking, m, width] }
    }

    /// The shape of k (0) or v (1).
    fn shared(&self, which: usize) -> Vec<usize> {
        let Self { batch, shared, asking, n, width, e, .. } = *self;
        let width = [width, e][which];
        if asking == 1 { vec![batch, shared, n, width] } else { vec![batch, shared, 1, n, width] }
    }

    /// A mask of up to four axes beside scores.
    fn mask(&self, shape: &[usize]) -> Result<Vec<usize>, Cause> {
        let (heads, scores) =
            (self.shared * self.asking, [self.batch, self.shared * self.asking, self.m, self.n]);
        let fits = shape.iter().rev().zip(scores.iter().rev()).all(|(own, wide)| *own == 1 || own == wide);
        if shape.len() > 4 || !fits {
            return Err(Cause::msg(format!("the mask is {shape:?}; what repeats to {scores:?} would fit")));
        }
        let mut whole = [vec![1; 4 - shape.len()], shape.to_vec()].concat();
        if self.asking > 1 {
            let split = if whole[1] == heads { [self.shared, self.asking] } else { [1, 1] };
            whole.splice(1..2, split);
        }
        Ok(whole)
    }
}

/// What is added to the scores, of as many axes as they have.
fn mask(call: &mut Call<'_>, groups: &Groups) -> Result<Option<Value>, Cause> {
    let given = match call.optional(3).cloned() {
        Some(mask) => {
            let shape = groups.mask(mask.shape())?;
            Some(seen_as(added(call, mask)?, shape)?)
        }
        None => None,
    };
    let (places, mask) = (places(call, groups)?, given);
    match (mask, places) {
        (Some(Value::Constant(mask)), Some(Value::Constant(places))) => {
            let both = shapes::broadcast(mask.shape(), places.shape())?;
            call.take(&both)?;
            Ok(Some(Value::from(Tensor::F32(mask.to_f32() + places.to_f32()))))
        }
        (Some(mask), Some(places)) => Ok(Some(join(call, BinaryOp::Add, &mask, &places)?)),
        (mask, places) => Ok(mask.or(places)),
    }
}

/// The mask of keys that a row does not see by their place: later ones, or those outside of its window. Row and key of a
/// number stand beside each other, however many more keys there are.
fn places(call: &mut Call<'_>, groups: &Groups) -> Result<Option<Value>, Cause> {
    let bound = |value: i64| usize::try_from(value).ok();
    let left = bound(call.int("left_window_size", -1)?);
    let mut right = bound(call.int("right_window_size", -1)?);
    if call.flag("is_causal", false)? {
        right = Some(0);
    }
    if left.is_none() && right.is_none() {
        return Ok(None);
    }
    let sees = |row: usize, key: usize| {
        left.is_none_or(|left| row.saturating_sub(key) <= left)
            && right.is_none_or(|right| key.saturating_sub(row) <= right)
    };
    let shape = groups.mask(&[groups.m, groups.n])?;
    call.take(&shape)?;
    let added = |(row, key)| if sees(row, key) { 0.0 } else { f32::NEG_INFINITY };
    let mask = Array2::from_shape_fn((groups.m, groups.n), added).into_dyn();
    seen_as(Value::from(Tensor::F32(mask)), shape).map(Some)
}

/// A mask of flags says which keys are seen.
fn added(call: &mut Call<'_>, mask: Value) -> Result<Value, Cause> {
    if mask.kind() != Kind::Bool {
        return Ok(mask);
    }
    let added = |flag: f32| if flag == 0.0 { f32::NEG_INFINITY } else { 0.0 };
    if let Value::Constant(flags) = &mask {
        let values: ArrayD<f32> = flags.to_f32().mapv(added);
        return Ok(Value::from(Tensor::F32(values)));
    }
    let [seen, unseen] = [0.0, f32::NEG_INFINITY].map(Value::number);
    chosen(call, &mask, [&seen, &unseen], Kind::Float)
}

/// What is computed.
struct Asked {
    scale: f32,
    /// 0 where there is none.
    cap: f32,
    q: Value,
    k: Value,
    v: Value,
    mask: Option<Value>,
}

impl Asked {
    /// As kernels of as many columns of v as one takes.
    fn computed(&self, call: &mut Call<'_>) -> Result<Value, Cause> {
        let columns = self.v.shape().last().copied().unwrap_or(0);
        if columns <= Attention::MOST_COLUMNS {
            return self.of(call, &self.v);
        }
        let mut parts = Vec::new();
        for start in (0..columns).step_by(Attention::MOST_COLUMNS) {
            let v = part(
                call,
                &self.v,
                self.v.shape().len() - 1,
                start..columns.min(start + Attention::MOST_COLUMNS),
            )?;
            let part = self.of(call, &v)?;
            parts.push(call.tensor(&part, part.shape())?);
        }
        call.add(Concat::new(self.q.shape().len() - 1), &parts)
    }

    fn of(&self, call: &mut Call<'_>, v: &Value) -> Result<Value, Cause> {
        let kernel = Attention::new(self.scale).softcap(self.cap);
        let kernel = kernel.masked(self.mask.is_some()).zero_for_unseen(true);
        let mut ids = Vec::new();
        for value in [&self.q, &self.k, v].into_iter().chain(&self.mask) {
            ids.push(call.tensor(value, value.shape())?);
        }
        call.add(kernel, &ids)
    }
}
