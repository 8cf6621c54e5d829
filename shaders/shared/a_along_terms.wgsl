
// fill_a: a lies along its terms, so an invocation reads four rows by four terms and turns them.
fn fill_a(row: u32, first: u32, local: u32) {
    let term = local % 4u * 4u;
    let at = row + local / 4u * 4u;
    let block = transpose(mat4x4(
        a_four(at, first + term),
        a_four(at + 1u, first + term),
        a_four(at + 2u, first + term),
        a_four(at + 3u, first + term),
    ));
    let slot = term * ROW_STRIDE + local / 4u;
    a_tile[slot] = kept(block[0]);
    a_tile[slot + ROW_STRIDE] = kept(block[1]);
    a_tile[slot + 2u * ROW_STRIDE] = kept(block[2]);
    a_tile[slot + 3u * ROW_STRIDE] = kept(block[3]);
}
