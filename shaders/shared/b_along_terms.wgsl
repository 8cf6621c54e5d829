
// fill_b: b lies along its terms, so an invocation reads four columns by four terms and turns them.
fn fill_b(column: u32, first: u32, local: u32) {
    let term = local % 4u * 4u;
    let at = column + local / 4u * 4u;
    let block = transpose(mat4x4(
        b_four(first + term, at),
        b_four(first + term, at + 1u),
        b_four(first + term, at + 2u),
        b_four(first + term, at + 3u),
    ));
    let slot = term * 16u + local / 4u;
    b_tile[slot] = kept(block[0]);
    b_tile[slot + 16u] = kept(block[1]);
    b_tile[slot + 32u] = kept(block[2]);
    b_tile[slot + 48u] = kept(block[3]);
}
