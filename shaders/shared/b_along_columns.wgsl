
// fill_b: b lies along its columns, so four columns of a term are a vector as it lies there.
fn fill_b(column: u32, first: u32, local: u32) {
    // The columns of an invocation are the same in every step.
    let across = local % 16u;
    for (var term = local / 16u; term < TERMS; term += 4u) {
        b_tile[term * 16u + across] = kept(b_four(first + term, column + across * 4u));
    }
}
