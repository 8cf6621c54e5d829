
// What tiles of sums have in common. A tile is kept in matrices of four rows by four columns, each
// column of a matrix being a row of the tile; all is written out, since not every driver unrolls loops
// and keeps arrays in registers.

// The sums after one more product of each of four rows with each of four columns.
fn outer(sums: mat4x4<f32>, rows: vec4<f32>, columns: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(
        sums[0] + rows.x * columns,
        sums[1] + rows.y * columns,
        sums[2] + rows.z * columns,
        sums[3] + rows.w * columns,
    );
}

// Finishes four sums of one row, as far as they lie in an output of so many rows and columns.
fn finish4(row: u32, column: u32, ends: vec2<u32>, sums: vec4<f32>) {
    if row >= ends.x {
        return;
    }
    if column < ends.y {
        finish_at(row, column, sums.x);
    }
    if column + 1u < ends.y {
        finish_at(row, column + 1u, sums.y);
    }
    if column + 2u < ends.y {
        finish_at(row, column + 2u, sums.z);
    }
    if column + 3u < ends.y {
        finish_at(row, column + 3u, sums.w);
    }
}
