
// fill: so many terms of the rows and columns of a tile come into workgroup memory, by vectors of four as
// they lie in global memory: an invocation reads eight of them instead of 32 values.
fn fill(row: u32, column: u32, first: u32, local: u32) {
    fill_a(row, first, local);
    fill_b(column, first, local);
}
