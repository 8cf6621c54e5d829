// conv2d_tiled_vec4: pointwise convolution as a product of matrices in vectors of four, one workgroup per tile of 64 outputs of one group by 64 pixels of all items.
//
// CPU twin   src/kernel/conv2d.rs (`Conv2d::twin`)
// Params     src/kernel/conv2d.rs (`Conv2dParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, h, w], f32 or f16 [outputs, channels / groups, 1, 1], f32 [outputs] / f32 [outputs, h, w]; channels / groups and h * w are multiples of four
// Dispatch   work workgroups folded over x, y; work = groups * tiles_down * tiles_across

// Params follow in shared/conv2d_params.wgsl;
// main in shared/conv2d_tiles.wgsl.

fn prepare(column: u32, local: u32) {}

// Four terms of one output; one past the end is the last one again.
fn a_four(output: u32, term: u32) -> vec4<f32> {
    if term >= terms() {
        return vec4(0.0);
    }
    return weight4(min(output, ends.x - 1u) * terms() + term);
}

// One term of four columns, which are pixels of one item; those past the end are the last ones again.
fn b_four(term: u32, column: u32) -> vec4<f32> {
    if term >= terms() {
        return vec4(0.0);
    }
    let last = min(column, ends.y - 4u);
    let item = last / params.out_pixels;
    let pixel = last - item * params.out_pixels;
    return x4(source + item * params.in_len + term * params.out_pixels + pixel);
}

fn finish_at(output: u32, column: u32, sums: vec4<f32>) {
    let item = column / params.out_pixels;
    let pixel = column - item * params.out_pixels;
    put4(item * params.out_len + output * params.out_pixels + pixel, vec4(output), sums);
}
