
// fill_b: b lies along its columns, so four columns of a term are a vector as it lies there.
fn fill_b(column: u32, first: u32, local: u32) {
    for (var slot = local; slot < 256u; slot += 64u) {
        b_tile[slot] = kept(b_four(first + slot / 16u, column + slot % 16u * 4u));
    }
}
