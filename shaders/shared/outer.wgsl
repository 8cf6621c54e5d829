
// The sums after one more product of each of four rows with each of four columns. A tile is kept in
// matrices of four rows by four columns, each column of a matrix being a row of the tile; all is written
// out, since not every driver unrolls loops and keeps arrays in registers.
fn outer(sums: mat4x4<f32>, rows: vec4<f32>, columns: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(
        sums[0] + rows.x * columns,
        sums[1] + rows.y * columns,
        sums[2] + rows.z * columns,
        sums[3] + rows.w * columns,
    );
}
