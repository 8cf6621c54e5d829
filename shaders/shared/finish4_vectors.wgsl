
// finish4: four sums of one row as a vector; as many columns as there are, a multiple of four, end behind one.
fn finish4(row: u32, column: u32, ends: vec2<u32>, sums: vec4<f32>) {
    if row < ends.x && column < ends.y {
        finish_at(row, column, sums);
    }
}
