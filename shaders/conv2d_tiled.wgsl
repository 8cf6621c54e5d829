// conv2d_tiled: convolution as a product of matrices, one workgroup per tile of 64 outputs of one group by 64 pixels of all items.
//
// CPU twin   src/kernel/conv2d.rs (`Conv2d::twin`)
// Params     src/kernel/conv2d.rs (`Conv2dParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, h, w], f32 or f16 [outputs, channels / groups, kh, kw], f32 [outputs] / f32 [outputs, out_h, out_w]
// Dispatch   work workgroups folded over x, y; work = groups * tiles_down * tiles_across

// Params follow in shared/conv2d_params.wgsl;
// main in shared/conv2d_tiles.wgsl.

// Whether the kernel has one value, no stride and no pads, so that pixels are where they were.
override pointwise: bool = false;

// One term of four outputs; those past the end are the last one again.
fn a_at(output: u32, term: u32) -> vec4<f32> {
    if term >= terms() {
        return vec4(0.0);
    }
    let at = min(output + vec4(0u, 1u, 2u, 3u), vec4(ends.x - 1u)) * terms() + term;
    return vec4(weight(at.x), weight(at.y), weight(at.z), weight(at.w));
}

// What four columns give to one term; those past the end are the last one again.
fn b_at(term: u32, column: u32) -> vec4<f32> {
    if term >= terms() {
        return vec4(0.0);
    }
    let columns = min(column + vec4(0u, 1u, 2u, 3u), vec4(ends.y - 1u));
    let items = columns / params.out_pixels;
    let pixels = columns - items * params.out_pixels;
    let start = source + items * params.in_len;
    if pointwise {
        let at = start + term * params.out_pixels + pixels;
        return vec4(x(at.x), x(at.y), x(at.z), x(at.w));
    }
    let taps = params.kernel_height * params.kernel_width;
    let four = seen(pixels, term % taps);
    let at = start + term / taps * params.height * params.width + four.at;
    return select(vec4(0.0), vec4(x(at.x), x(at.y), x(at.z), x(at.w)), four.inside);
}

fn finish_at(output: u32, column: u32, sum: f32) {
    let item = column / params.out_pixels;
    let pixel = column - item * params.out_pixels;
    put(item * params.out_len + output * params.out_pixels + pixel, output, sum);
}
