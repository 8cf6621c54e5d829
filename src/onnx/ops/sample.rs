//! Pixels at the places that a grid names.

use crate::error::Cause;
use crate::kernel::{GridPadding, GridSample};
use crate::onnx::call::{Call, seen_as};
use crate::onnx::value::Value;

/// Modes had other names before opset 20.
pub(super) fn grid_sample(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let kernel = match call.text("mode", "linear")? {
        "linear" | "bilinear" => GridSample::linear(),
        "nearest" => GridSample::nearest(),
        "cubic" | "bicubic" => GridSample::cubic(),
        other => return Err(Cause::msg(format!("the mode {other:?} is not known"))),
    };
    let padding = match call.text("padding_mode", "zeros")? {
        "zeros" => GridPadding::Zeros,
        "border" => GridPadding::Border,
        "reflection" => GridPadding::Reflection,
        other => return Err(Cause::msg(format!("the padding {other:?} is not known"))),
    };
    let kernel = kernel.padding(padding).align_corners(call.flag("align_corners", false)?);
    let (x, places) = (call.value(0)?.clone(), call.value(1)?.clone());
    let (n, c, rows, columns) = match (x.shape(), places.shape()) {
        (&[n, c, _, _], &[count, rows, columns, 2]) if n == count => (n, c, rows, columns),
        (x, places) => return Err(Cause::msg(format!("the grid {places:?} does not fit {x:?}"))),
    };
    let known = |value: &Value| matches!(value, Value::Constant(_));
    if n > 1 && (known(&x) || known(&places)) {
        return Err(Cause::msg("several images or grids that are known are not supported"));
    }
    let shape_of =
        |value: &Value| if known(value) { value.shape()[1..].to_vec() } else { value.shape().to_vec() };
    let ids = [call.tensor(&x, &shape_of(&x))?, call.tensor(&places, &shape_of(&places))?];
    Ok(vec![seen_as(call.add_each(kernel, &ids)?, vec![n, c, rows, columns])?])
}
