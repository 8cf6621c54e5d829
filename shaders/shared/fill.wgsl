
// fill: so many terms of the rows and columns of a tile come into workgroup memory, value by value.
// Neighbours read neighbouring terms of a row and neighbouring columns of a term. The rows' stride of
// 17 vectors keeps the writes of 16 neighbours in different banks.
fn fill(row: u32, column: u32, first: u32, local: u32) {
    for (var slot = local; slot < 256u; slot += 64u) {
        let a_term = slot % TERMS;
        a_tile[a_term * ROW_STRIDE + slot / TERMS] = kept(a_at(row + slot / TERMS * 4u, first + a_term));
        b_tile[slot] = kept(b_at(first + slot / 16u, column + slot % 16u * 4u));
    }
}
