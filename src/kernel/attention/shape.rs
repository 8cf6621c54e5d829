//! The shape rule of attention: sizes, and how each of its tensors lies.

use super::{Attention, AttentionParams};
use crate::error::Cause;
use crate::kernel::rearrange::View;
use crate::kernel::{Spec, rule};

/// Most leading axes.
const LEADING: usize = 4;

/// Sizes, and the views through which q, k, v and, where there is one, the mask are seen.
#[derive(Clone, Debug)]
pub(super) struct Shapes {
    pub(super) leading: [usize; LEADING],
    /// Leading axes that there are.
    rank: usize,
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) d: usize,
    pub(super) e: usize,
    pub(super) views: Vec<View>,
}

impl Shapes {
    pub(super) fn new(kernel: &Attention, inputs: &[&Spec]) -> Result<Self, Cause> {
        let names = ["q", "k", "v", "mask"];
        let wanted = 3 + usize::from(kernel.masked);
        if inputs.len() != wanted {
            let names = names[..wanted].join(", ");
            return Err(Cause::msg(format!("takes {wanted} inputs ({names}), not {}", inputs.len())));
        }
        names.into_iter().zip(inputs).try_for_each(|(name, spec)| rule::floats(name, spec))?;
        rule::any_activation(&inputs[..3])?;
        let seen =
            |(spec, seen): (&&Spec, &Option<View>)| seen.clone().unwrap_or_else(|| View::whole(&spec.shape));
        let views: Vec<View> = inputs.iter().zip(&kernel.seen).map(seen).collect();
        for ((name, spec), view) in names.into_iter().zip(inputs).zip(&views) {
            if !(2..=LEADING + 2).contains(&view.shape.len()) || view.strides.iter().any(|stride| *stride < 0)
            {
                return Err(rule::misfit(name, spec, "2 to 6 axes would fit"));
            }
        }
        let matrix = |view: &View| [view.shape[view.shape.len() - 2], view.shape[view.shape.len() - 1]];
        let ([m, d], [n, of_k], [of_v, e]) = (matrix(&views[0]), matrix(&views[1]), matrix(&views[2]));
        if of_k != d {
            return Err(rule::misfit("k", inputs[1], format!("rows as long as those of q, {d}, would fit")));
        }
        if of_v != n || e > Attention::MOST_COLUMNS {
            let wanted = format!("[.., {n}, up to {}] would fit", Attention::MOST_COLUMNS);
            return Err(rule::misfit("v", inputs[2], wanted));
        }
        let (leading, rank) = leading(&views[..3])?;
        let shapes = Self { leading, rank, m, n, d, e, views };
        shapes.check_mask(inputs)?;
        Ok(shapes)
    }

    fn check_mask(&self, inputs: &[&Spec]) -> Result<(), Cause> {
        let Some(mask) = self.views.get(3) else { return Ok(()) };
        let wide: Vec<usize> = self.leading.iter().copied().chain([self.m, self.n]).collect();
        let fits = mask.shape.iter().rev().zip(wide.iter().rev()).all(|(own, wide)| *own == 1 || own == wide);
        if fits {
            return Ok(());
        }
        Err(rule::misfit("mask", inputs[3], format!("what repeats to {wide:?} would fit")))
    }

    /// The shape of the output.
    pub(super) fn output(&self) -> Vec<usize> {
        self.leading[LEADING - self.rank..].iter().copied().chain([self.m, self.e]).collect()
    }

    pub(super) fn params(&self, kernel: &Attention, inputs: &[&Spec]) -> AttentionParams {
        let view = |index: usize| self.views.get(index);
        let item = |index: usize| inputs.get(index).map_or(0, |spec| rule::step(spec));
        let [q, k, v, mask_leading] = [0, 1, 2, 3].map(|index| view(index).map_or([0; LEADING], steps));
        let [q_lies, k_lies, v_lies, mask_lies] = [0, 1, 2, 3].map(|index| lies(view(index), item(index)));
        AttentionParams {
            leading: std::array::from_fn(|axis| [self.leading[axis] as u32, q[axis], k[axis], v[axis]]),
            mask_leading,
            q_lies,
            k_lies,
            v_lies,
            mask_lies,
            work: (self.leading.iter().product::<usize>() * self.m) as u32,
            m: self.m as u32,
            n: self.n as u32,
            e: self.e as u32,
            scale: kernel.scale,
            cap: kernel.cap,
            causal: kernel.causal.into(),
            empty: kernel.empty as u32,
        }
    }
}

/// The leading axes of all, filled up with 1 in front, and how many there are.
fn leading(views: &[View]) -> Result<([usize; LEADING], usize), Cause> {
    let mut leading = [1; LEADING];
    let mut rank = 0;
    for view in views {
        let own = &view.shape[..view.shape.len() - 2];
        rank = rank.max(own.len());
        for (place, &len) in leading[LEADING - own.len()..].iter_mut().zip(own) {
            match (*place, len) {
                (1, len) => *place = len,
                (place, len) if place == len || len == 1 => {}
                _ => {
                    let shapes: Vec<_> = views.iter().map(|view| &view.shape).collect();
                    return Err(Cause::msg(format!(
                        "the shapes are {shapes:?}; leading axes that are equal or 1 would fit"
                    )));
                }
            }
        }
    }
    Ok((leading, rank))
}

/// How far a step on each leading axis goes; 0 where a tensor has one place for all.
pub(super) fn steps(view: &View) -> [u32; LEADING] {
    let mut steps = [0; LEADING];
    let own = view.shape.len() - 2;
    for (place, (&len, &stride)) in
        steps[LEADING - own..].iter_mut().zip(view.shape.iter().zip(&view.strides))
    {
        *place = if len == 1 { 0 } else { stride as u32 };
    }
    steps
}

/// Start, row, column and item of a tensor; 0 where there is one place for all.
fn lies(view: Option<&View>, item: u32) -> [u32; 4] {
    let Some(view) = view else { return [0; 4] };
    let step = |axis: usize| if view.shape[axis] == 1 { 0 } else { view.strides[axis] as u32 };
    [view.offset as u32, step(view.shape.len() - 2), step(view.shape.len() - 1), item]
}
