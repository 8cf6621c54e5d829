//! Two inputs by name, with a bias and a residual where there are such, and the rules for these.

use super::{Spec, rule};
use crate::error::Cause;

/// The first two inputs and, where there are such, bias and residual.
pub(super) struct Inputs<'a, T> {
    pub(super) one: &'a T,
    pub(super) other: &'a T,
    pub(super) bias: Option<&'a T>,
    pub(super) residual: Option<&'a T>,
}

impl<'a, T> Inputs<'a, T> {
    /// Those that the shape rule accepted; `residual` says whether the last one is a residual.
    pub(super) fn accepted(inputs: &'a [T], residual: bool) -> Self {
        Self::new(inputs, residual).expect("the shape rule takes as many")
    }

    fn new(inputs: &'a [T], residual: bool) -> Option<Self> {
        let (residual, inputs) = match inputs {
            [inputs @ .., last] if residual => (Some(last), inputs),
            inputs => (None, inputs),
        };
        match inputs {
            [one, other] => Some(Self { one, other, bias: None, residual }),
            [one, other, bias] => Some(Self { one, other, bias: Some(bias), residual }),
            _ => None,
        }
    }
}

impl<'a, 'b> Inputs<'a, &'b Spec> {
    /// The inputs, if there are as many; the first two have these names.
    pub(super) fn take(inputs: &'a [&'b Spec], names: [&str; 2], residual: bool) -> Result<Self, Cause> {
        Self::new(inputs, residual).ok_or_else(|| {
            let (count, last) = if residual { (3, ", residual") } else { (2, "") };
            let names = names.join(", ");
            let given = inputs.len();
            Cause::msg(format!("takes {count} inputs ({names}{last}), not {given}; a bias may be third"))
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

    /// Checks that the residual is an activation of the output's shape.
    pub(super) fn check_residual(&self, output: &Spec) -> Result<(), Cause> {
        match self.residual {
            Some(residual) if *residual != output => {
                let wanted = format!("an f32 activation {:?} would fit", output.shape);
                Err(rule::misfit("residual", residual, wanted))
            }
            _ => Ok(()),
        }
    }
}
