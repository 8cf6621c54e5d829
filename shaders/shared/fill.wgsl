
// fill: so many terms of the rows and columns of a tile come into workgroup memory, value by value.
// Neighbours read neighbouring terms of a row and neighbouring columns of a term. The rows' stride of
// 17 vectors keeps the writes of 16 neighbours in different banks.
fn fill(row: u32, column: u32, first: u32, local: u32) {
    // The columns of an invocation are the same in every step.
    let across = local % 16u;
    for (var step = local / 16u; step < 16u; step += 4u) {
        a_tile[across * ROW_STRIDE + step] = kept(a_at(row + step * 4u, first + across));
        b_tile[step * 16u + across] = kept(b_at(first + step, column + across * 4u));
    }
}
