// conv2d_few: convolution that gives few pixels, one workgroup per tile of one output by four pixels.
//
// CPU twin   src/kernel/conv2d.rs (`Conv2d::twin`)
// Params     src/kernel/conv2d.rs (`Conv2dParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, h, w], f32 or f16 [outputs, channels / groups, kh, kw], f32 [outputs] / f32 [outputs, out_h, out_w]
// Dispatch   work workgroups folded over x, y; work = groups * tiles_down * tiles_across

// Params follow in shared/conv2d_params.wgsl.

// All invocations share the terms of one output.
const columns = 1u;

// The item, for what is written.
var<private> item: u32;

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
    let first_pixel = (tile % params.tiles_across) * 4u;
    let output = tile / params.tiles_across;
    let conv_group = output / params.outputs_in_group;
    // Places past an end compute the last one again, and are not written.
    let pixels = min(first_pixel + vec4(0u, 1u, 2u, 3u), vec4(params.out_pixels - 1u));
    let plane = params.height * params.width;
    let taps = params.kernel_height * params.kernel_width;
    let terms = params.channels_in_group * taps;
    let source = group.z * params.in_len + conv_group * params.channels_in_group * plane;

    var part = vec4(0.0);
    for (var term = local; term < terms; term += 64u) {
        let four = seen(pixels, term % taps);
        let at = source + term / taps * plane + four.at;
        let values = select(vec4(0.0), vec4(x(at.x), x(at.y), x(at.z), x(at.w)), four.inside);
        part += weight(output * terms + term) * values;
    }

    let sums = sum_of_column(local, part);
    if local > 0u {
        return;
    }
    item = group.z;
    finish4(output, first_pixel, vec2(output + 1u, params.out_pixels), sums);
}

fn finish_at(output: u32, pixel: u32, sum: f32) {
    put(item * params.out_len + output * params.out_pixels + pixel, output, sum);
}
