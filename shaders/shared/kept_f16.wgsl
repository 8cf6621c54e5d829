
// Kept: four values of a tile in workgroup memory, rounded to halves. They are widened before they are
// multiplied: a product of two halves is a float, so nothing more is lost, and a device that multiplies
// halves into a float needs no instruction for it.
alias Kept = vec4<f16>;

fn kept(values: vec4<f32>) -> Kept {
    return Kept(values);
}

fn widened(values: Kept) -> vec4<f32> {
    return vec4<f32>(values);
}
