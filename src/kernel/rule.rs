//! What shape rules have in common: who may come in, and errors that name what would fit.

use std::fmt::Display;

use super::{Element, Spec};
use crate::error::Cause;

/// Most elements of one item, so that every index into it is an `i32` and a `u32` of WGSL.
pub(super) const MOST: usize = 1 << 30;

/// The inputs by name, if there are as many.
pub(super) fn take<'a, const N: usize>(
    inputs: &[&'a Spec],
    names: [&str; N],
) -> Result<[&'a Spec; N], Cause> {
    inputs.try_into().map_err(|_| {
        let inputs_word = if N == 1 { "input" } else { "inputs" };
        Cause::msg(format!("takes {N} {inputs_word} ({}), not {}", names.join(", "), inputs.len()))
    })
}

/// The shape of an input that every item has, of floats and with `N` axes.
pub(super) fn activation<const N: usize>(name: &str, spec: &Spec, axes: &str) -> Result<[usize; N], Cause> {
    let fits = spec.element == Element::F32 && spec.batched;
    shape(spec, fits).ok_or_else(|| misfit(name, spec, format!("an f32 activation {axes} would fit")))
}

/// The shape of an input that is the same for all items, of floats and with `N` axes.
pub(super) fn constant<const N: usize>(name: &str, spec: &Spec, axes: &str) -> Result<[usize; N], Cause> {
    let fits = spec.element == Element::F32 && !spec.batched;
    shape(spec, fits).ok_or_else(|| misfit(name, spec, format!("an f32 constant {axes} would fit")))
}

/// The shape of a weight that is the same for all items, of floats, halves or i8 and with `N` axes.
pub(super) fn weight<const N: usize>(name: &str, spec: &Spec, axes: &str) -> Result<[usize; N], Cause> {
    let fits = matches!(spec.element, Element::I8 | Element::F16 | Element::F32) && !spec.batched;
    shape(spec, fits)
        .ok_or_else(|| misfit(name, spec, format!("an f32, f16 or i8 constant {axes} would fit")))
}

fn shape<const N: usize>(spec: &Spec, fits: bool) -> Option<[usize; N]> {
    let shape = spec.shape.as_slice().try_into().ok()?;
    (fits && size(&spec.shape).is_some()).then_some(shape)
}

/// An input of floats of any shape, activation or constant.
pub(super) fn floats(name: &str, spec: &Spec) -> Result<(), Cause> {
    if spec.element == Element::F32 && size(&spec.shape).is_some() {
        return Ok(());
    }
    Err(misfit(name, spec, "an f32 tensor of 1 to 2^30 elements would fit"))
}

/// An input of floats or whole numbers of any shape, activation or constant.
pub(super) fn values(name: &str, spec: &Spec) -> Result<(), Cause> {
    if matches!(spec.element, Element::F32 | Element::I32) && size(&spec.shape).is_some() {
        return Ok(());
    }
    Err(misfit(name, spec, "an f32 or i32 tensor of 1 to 2^30 elements would fit"))
}

/// Checks that an input has the elements of another, which is called `first`.
pub(super) fn alike(name: &str, spec: &Spec, first: &str, other: &Spec) -> Result<(), Cause> {
    if spec.element == other.element {
        return Ok(());
    }
    Err(misfit(name, spec, format!("{}, as {first} has it, would fit", other.element)))
}

/// The only input, an activation of floats or whole numbers of any shape.
pub(super) fn only_values<'a>(inputs: &[&'a Spec]) -> Result<&'a Spec, Cause> {
    let [x] = take(inputs, ["x"])?;
    values("x", x)?;
    if x.batched { Ok(x) } else { Err(misfit("x", x, "an activation would fit")) }
}

/// A factor of any shape: an activation or a constant of floats, or a constant of halves or i8.
pub(super) fn factor(name: &str, spec: &Spec) -> Result<(), Cause> {
    if matches!(spec.element, Element::I8 | Element::F16) && !spec.batched && size(&spec.shape).is_some() {
        return Ok(());
    }
    floats(name, spec)
}

/// The only input, an activation of floats of any shape.
pub(super) fn only_activation<'a>(inputs: &[&'a Spec]) -> Result<&'a Spec, Cause> {
    let [x] = take(inputs, ["x"])?;
    floats("x", x)?;
    if x.batched { Ok(x) } else { Err(misfit("x", x, "an f32 activation would fit")) }
}

/// Checks that one input is an activation: a kernel of constants alone gives a constant.
pub(super) fn any_activation(inputs: &[&Spec]) -> Result<(), Cause> {
    if inputs.iter().any(|input| input.batched) {
        return Ok(());
    }
    Err(Cause::msg("every input is a constant; one activation or more would fit"))
}

/// The only input, an activation of floats that has this axis, or any where none is named.
pub(super) fn only_activation_with_axis<'a>(
    inputs: &[&'a Spec],
    axis: Option<usize>,
) -> Result<&'a Spec, Cause> {
    let x = only_activation(inputs)?;
    match axis {
        None if x.shape.is_empty() => Err(misfit("x", x, "one axis or more would fit")),
        Some(axis) if axis >= x.shape.len() => Err(misfit("x", x, format!("an axis {axis} would fit"))),
        _ => Ok(x),
    }
}

/// An output of floats, if its size can be indexed on a device.
pub(super) fn output(shape: &[usize]) -> Result<Spec, Cause> {
    match size(shape) {
        Some(_) => Ok(Spec::floats(shape)),
        None => Err(Cause::msg(format!("the output would be {shape:?}; 1 to 2^30 elements would fit"))),
    }
}

/// An output of the elements of an input, if its size can be indexed on a device.
pub(super) fn output_like(input: &Spec, shape: &[usize]) -> Result<Spec, Cause> {
    output(shape).map(|spec| Spec { element: input.element, ..spec })
}

/// Elements of this shape, if there is one and there are not too many for a device.
pub(super) fn size(shape: &[usize]) -> Option<usize> {
    let size = shape.iter().try_fold(1_usize, |size, &axis| size.checked_mul(axis))?;
    (1..=MOST).contains(&size).then_some(size)
}

/// Elements from one item to the next: none for a constant, which all items share.
pub(super) fn step(spec: &Spec) -> u32 {
    if spec.batched { spec.len() as u32 } else { 0 }
}

/// `name is f32 activation [2, 3]; …`.
pub(super) fn misfit(name: &str, spec: &Spec, wanted: impl Display) -> Cause {
    let element = spec.element;
    let role = if spec.batched { "activation" } else { "constant" };
    Cause::msg(format!("{name} is an {element} {role} {:?}; {wanted}", spec.shape).replace("an u8", "a u8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_whose_size_overflows_has_no_size() {
        assert_eq!(size(&[1 << 15, 1 << 15]), Some(MOST));
        assert_eq!(size(&[MOST, 2]), None);
        assert_eq!(size(&[usize::MAX, 2, 3]), None);
        assert_eq!(size(&[usize::MAX, 2, 0]), None);
        assert_eq!(size(&[4, 0]), None);
    }

    #[test]
    fn an_error_names_the_input_its_shape_and_what_would_fit() {
        let error = activation::<3>("x", &Spec::bytes(&[2, 2]), "[channels, height, width]").unwrap_err();
        let text = "x is a u8 activation [2, 2]; an f32 activation [channels, height, width] would fit";
        assert_eq!(error.to_string(), text);
    }
}
