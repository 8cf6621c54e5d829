//! Values as another element holds them.

use ndarray::Zip;

use super::ints::{NONE, wrapped};
use super::params::{params, wgsl};
use super::{Access, Dispatch, Element, Kernel, Needs, Spec, Values, ValuesMut, grid, rule};
use crate::error::Cause;

/// Every value as another element holds it: whole numbers and floats of each other.
///
/// A fraction is cut off towards 0. Whole numbers of fewer than 32 bits start again at the other end. A float that 32
/// bits do not hold, or NaN, becomes the least whole number, which stands for none ([`Element::I32`]); none
/// becomes NaN.
///
/// ```
/// use gapless::kernel::{Cast, Kernel, Spec};
/// assert_eq!(Cast::to_ints().output(&[&Spec::floats(&[7])])?, Spec::ints(&[7]));
/// assert_eq!(Cast::to_floats().output(&[&Spec::ints(&[7])])?, Spec::floats(&[7]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Cast(To);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Ints { bits: u32, signed: bool },
    Floats { bits: u32 },
    Flags,
}

params! {
    /// Mirrors `Params` of `shaders/cast.wgsl`.
    struct CastParams {
        len: u32,
        bits: u32,
        signed: u32,
    }
}

impl Cast {
    /// To whole numbers.
    pub fn to_ints() -> Self {
        Self::to_bits(32, true)
    }

    /// To whole numbers of 8, 16 or 32 bits.
    pub fn to_bits(bits: u32, signed: bool) -> Self {
        Self(To::Ints { bits, signed })
    }

    /// Whole numbers to the nearest floats, which are exact up to 2²⁴.
    pub fn to_floats() -> Self {
        Self(To::Floats { bits: 32 })
    }

    /// Whole numbers to floats that are exact, and to NaN from 2²⁴ on.
    pub fn to_exact_floats() -> Self {
        Self(To::Floats { bits: 24 })
    }

    /// Whole numbers to flags, which are floats: 0, or 1 where the number is not 0.
    pub fn to_flags() -> Self {
        Self(To::Flags)
    }

    fn int(self, value: i32) -> i32 {
        let To::Ints { bits, signed } = self.0 else { return value };
        wrapped(value, bits, signed)
    }

    fn truncated(self, value: f32) -> i32 {
        let beyond = value.is_nan() || value.abs() >= -(NONE as f32);
        if beyond { NONE } else { self.int(value as i32) }
    }

    fn float(self, value: i32) -> f32 {
        match self.0 {
            _ if value == NONE => f32::NAN,
            To::Flags => f32::from(u8::from(value != 0)),
            To::Floats { bits } if bits < 32 && value.abs() >= 1 << bits => f32::NAN,
            To::Floats { .. } | To::Ints { .. } => value as f32,
        }
    }
}

impl Kernel for Cast {
    fn name(&self) -> &str {
        "cast"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_values(inputs)?;
        match self.0 {
            To::Ints { bits: 8 | 16 | 32, .. } => Ok(Spec { element: Element::I32, ..x.clone() }),
            To::Ints { bits, .. } => {
                Err(Cause::msg(format!("{bits} bits hold the whole numbers; 8, 16 or 32 would fit")))
            }
            _ if x.element != Element::I32 => Err(rule::misfit("x", x, "an i32 activation would fit")),
            To::Floats { .. } | To::Flags => Ok(Spec { element: Element::F32, ..x.clone() }),
        }
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let (bits, signed) = match self.0 {
            To::Ints { bits, signed } => (bits, signed),
            To::Floats { bits } => (bits, false),
            To::Flags => (32, false),
        };
        let params = CastParams { len: output.len() as u32, bits, signed: signed.into() };
        let source = match (inputs[0].element, self.0) {
            (Element::I32, To::Ints { .. }) => {
                wgsl!("cast", "shared/each_value", "shared/cast_int_to_int", "shared/ints", "shared/linear")
            }
            (_, To::Ints { .. }) => {
                wgsl!("cast", "shared/each_value", "shared/cast_float_to_int", "shared/ints", "shared/linear")
            }
            (_, To::Floats { .. }) => {
                wgsl!(
                    "cast",
                    "shared/each_value",
                    "shared/cast_int_to_float",
                    "shared/ints",
                    "shared/linear",
                    "shared/nan_made"
                )
            }
            (_, To::Flags) => {
                wgsl!(
                    "cast",
                    "shared/each_value",
                    "shared/cast_int_to_flag",
                    "shared/ints",
                    "shared/linear",
                    "shared/nan_made"
                )
            }
        };
        Dispatch {
            kernel: "cast".into(),
            source: source.into(),
            access: Access::ours(&["x"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::default(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        match (&inputs[0], output) {
            (Values::F32(x), ValuesMut::I32(y)) => {
                Zip::from(y).and(x).for_each(|y, &x| *y = self.truncated(x))
            }
            (Values::I32(x), ValuesMut::I32(y)) => Zip::from(y).and(x).for_each(|y, &x| *y = self.int(x)),
            (Values::I32(x), ValuesMut::F32(y)) => Zip::from(y).and(x).for_each(|y, &x| *y = self.float(x)),
            _ => unreachable!("the shape rule takes no others"),
        }
    }
}
