
fn finish_at(row: u32, column: u32, sum: f32) {
    put(item * params.out_len + plane * params.out_pixels + row * params.out_width + column, plane, sum);
}
