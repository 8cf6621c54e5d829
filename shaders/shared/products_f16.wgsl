
// add_products: the terms in workgroup memory, multiplied and added as halves, two at a time where a device
// has such an instruction. Sixteen products are added so, then they are added to the sums in 32-bit
// floats: a sum of halves that grew on over all terms would lose the small ones and end at 65,504. The bound of
// what is lost stands at `Precision::Half` in src/kernel/precision.rs and is counted from TERMS.
fn add_products(sums: ptr<function, Sums>, down: u32, across: u32) {
    var top_left = mat4x4<f16>();
    var top_right = mat4x4<f16>();
    var low_left = mat4x4<f16>();
    var low_right = mat4x4<f16>();
    for (var term = 0u; term < TERMS; term++) {
        let top = a_tile[term * ROW_STRIDE + down];
        let low = a_tile[term * ROW_STRIDE + down + 1u];
        let left = b_tile[term * 16u + across];
        let right = b_tile[term * 16u + across + 8u];
        top_left = outer_of_halves(top_left, top, left);
        top_right = outer_of_halves(top_right, top, right);
        low_left = outer_of_halves(low_left, low, left);
        low_right = outer_of_halves(low_right, low, right);
    }
    sums.top_left += widened16(top_left);
    sums.top_right += widened16(top_right);
    sums.low_left += widened16(low_left);
    sums.low_right += widened16(low_right);
}

fn outer_of_halves(sums: mat4x4<f16>, rows: Kept, columns: Kept) -> mat4x4<f16> {
    return mat4x4(
        sums[0] + rows.x * columns,
        sums[1] + rows.y * columns,
        sums[2] + rows.z * columns,
        sums[3] + rows.w * columns,
    );
}

fn widened16(sums: mat4x4<f16>) -> mat4x4<f32> {
    return mat4x4(widened(sums[0]), widened(sums[1]), widened(sums[2]), widened(sums[3]));
}
