
// finish4: four sums of one row, value by value, as far as they lie in an output of so many rows and columns.
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
