// conv2d_tiled: convolution as a product of matrices, one workgroup per tile of 64 outputs of one group by 64 pixels.
//
// CPU twin   src/kernel/conv2d.rs (`Conv2d::twin`)
// Params     src/kernel/conv2d.rs (`Conv2dParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, h, w], f32 or f16 [outputs, channels / groups, kh, kw], f32 [outputs] / f32 [outputs, out_h, out_w]
// Dispatch   work workgroups folded over x, y; work = groups * tiles_down * tiles_across

// Params follow in shared/conv2d_params.wgsl; weight in shared/weight*.wgsl; bias, residual and y in shared/finish*.wgsl.
@group(0) @binding(1) var<storage, read> x: array<f32>;

// Whether the kernel has one value, no stride and no pads, so that pixels are where they were.
override pointwise: bool = false;

// The item and where its group begins in the input; the first output behind the group.
var<private> item: u32;
var<private> source: u32;
var<private> output_end: u32;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = linear(group, groups);
    if tile >= params.work {
        return;
    }
    let down = tile / params.tiles_across;
    let conv_group = down / params.tiles_down;
    let output = conv_group * params.outputs_in_group + (down % params.tiles_down) * 64u;
    item = group.z;
    source = group.z * params.in_len + conv_group * params.channels_in_group * params.height * params.width;
    output_end = (conv_group + 1u) * params.outputs_in_group;
    let ends = vec2(output_end, params.out_pixels);
    compute_tile(output, (tile % params.tiles_across) * 64u, ends, terms(), local);
}

fn terms() -> u32 {
    return params.channels_in_group * params.kernel_height * params.kernel_width;
}

// One term of four outputs; those past the end are the last one again.
fn a_at(output: u32, term: u32) -> vec4<f32> {
    if term >= terms() {
        return vec4(0.0);
    }
    let at = min(output + vec4(0u, 1u, 2u, 3u), vec4(output_end - 1u)) * terms() + term;
    return vec4(weight_at(at.x), weight_at(at.y), weight_at(at.z), weight_at(at.w));
}

// What four pixels give to one term; those past the end are the last one again.
fn b_at(term: u32, pixel: u32) -> vec4<f32> {
    if term >= terms() {
        return vec4(0.0);
    }
    let pixels = min(pixel + vec4(0u, 1u, 2u, 3u), vec4(params.out_pixels - 1u));
    if pointwise {
        let at = source + term * params.out_pixels + pixels;
        return vec4(x[at.x], x[at.y], x[at.z], x[at.w]);
    }
    let taps = params.kernel_height * params.kernel_width;
    let four = seen(pixels, term % taps);
    let at = source + term / taps * params.height * params.width + four.at;
    return select(vec4(0.0), vec4(x[at.x], x[at.y], x[at.z], x[at.w]), four.inside);
}

fn finish_at(output: u32, pixel: u32, sum: f32) {
    finish(item * params.out_len + output * params.out_pixels + pixel, output, sum);
}
