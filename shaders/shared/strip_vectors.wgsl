
fn finish_at(row: u32, column: u32, sums: vec4<f32>) {
    put4(item * params.out_len + plane * params.out_pixels + row * params.out_width + column, vec4(plane), sums);
}
