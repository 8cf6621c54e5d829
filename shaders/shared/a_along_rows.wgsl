
// fill_a: a lies along its rows, so four rows of a term are a vector as it lies there.
fn fill_a(row: u32, first: u32, local: u32) {
    let down = local % 16u;
    for (var term = local / 16u; term < TERMS; term += 4u) {
        a_tile[term * ROW_STRIDE + down] = kept(a_four(row + down * 4u, first + term));
    }
}
