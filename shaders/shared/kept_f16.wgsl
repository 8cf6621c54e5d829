
// Kept: four values of a tile in workgroup memory, rounded to halves. Widened (shared/products.wgsl) they multiply
// without a loss: a product of two halves is a float.
alias Kept = vec4<f16>;

fn kept(values: vec4<f32>) -> Kept {
    return Kept(values);
}

fn widened(values: Kept) -> vec4<f32> {
    return vec4<f32>(values);
}
