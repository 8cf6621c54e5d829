
fn finish16(row: u32, column: u32, ends: vec2<u32>, sums: mat4x4<f32>) {
    finish4(row, column, ends, sums[0]);
    finish4(row + 1u, column, ends, sums[1]);
    finish4(row + 2u, column, ends, sums[2]);
    finish4(row + 3u, column, ends, sums[3]);
}
