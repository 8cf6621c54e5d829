
// add_products: the terms in workgroup memory, multiplied and added in 32-bit floats.
fn add_products(sums: ptr<function, Sums>, down: u32, across: u32) {
    for (var term = 0u; term < TERMS; term++) {
        let top = widened(a_tile[term * ROW_STRIDE + down]);
        let low = widened(a_tile[term * ROW_STRIDE + down + 1u]);
        let left = widened(b_tile[term * 16u + across]);
        let right = widened(b_tile[term * 16u + across + 8u]);
        sums.top_left = outer(sums.top_left, top, left);
        sums.top_right = outer(sums.top_right, top, right);
        sums.low_left = outer(sums.low_left, low, left);
        sums.low_right = outer(sums.low_right, low, right);
    }
}
