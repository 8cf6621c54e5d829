
// finish4: four sums of one row as one vector. Columns are a multiple of four, so it is inside or outside whole.
fn finish4(row: u32, column: u32, ends: vec2<u32>, sums: vec4<f32>) {
    if row < ends.x && column < ends.y {
        finish_at(row, column, sums);
    }
}
