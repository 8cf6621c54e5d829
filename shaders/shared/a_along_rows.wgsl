
// fill_a: a lies along its rows, so four rows of a term are a vector as it lies there.
fn fill_a(row: u32, first: u32, local: u32) {
    for (var slot = local; slot < 256u; slot += 64u) {
        let term = slot / 16u;
        a_tile[term * ROW_STRIDE + slot % 16u] = kept(a_four(row + slot % 16u * 4u, first + term));
    }
}
