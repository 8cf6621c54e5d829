//! Two inputs by name, with a bias where there is one, and the rules for these.

use super::{Spec, rule};
use crate::error::Cause;

/// The first two inputs and, where there is one, the bias.
pub(super) struct Inputs<'a, T> {
    pub(super) one: &'a T,
    pub(super) other: &'a T,
    pub(super) bias: Option<&'a T>,
}

impl<'a, T> Inputs<'a, T> {
    /// Those that the shape rule accepted.
    pub(super) fn accepted(inputs: &'a [T]) -> Self {
        Self::new(inputs).expect("the shape rule takes as many")
    }

    fn new(inputs: &'a [T]) -> Option<Self> {
        match inputs {
            [one, other] => Some(Self { one, other, bias: None }),
            [one, other, bias] => Some(Self { one, other, bias: Some(bias) }),
            _ => None,
        }
    }
}

impl<'a, 'b> Inputs<'a, &'b Spec> {
    /// The inputs, if there are as many; the first two have these names.
    pub(super) fn take(inputs: &'a [&'b Spec], names: [&str; 2]) -> Result<Self, Cause> {
        Self::new(inputs).ok_or_else(|| {
            let (names, given) = (names.join(", "), inputs.len());
            Cause::msg(format!("takes 2 inputs ({names}), not {given}; a bias may be third"))
        })
    }

    /// Checks that the bias is a constant of so many values.
    pub(super) fn check_bias(&self, len: usize) -> Result<(), Cause> {
        let Some(bias) = self.bias else { return Ok(()) };
        let wanted = format!("[{len}]");
        if rule::constant("bias", bias, &wanted)? == [len] {
            return Ok(());
        }
        Err(rule::misfit("bias", bias, format!("an f32 constant {wanted} would fit")))
    }
}
