// conv2d: convolution, one invocation per tile of four outputs of one group by four pixels.
//
// CPU twin   src/kernel/conv2d.rs (`Conv2d::twin`)
// Params     src/kernel/conv2d.rs (`Conv2dParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, h, w], f32 or f16 [outputs, channels / groups, kh, kw], f32 [outputs] / f32 [outputs, out_h, out_w]
// Dispatch   ceil(work / 64) workgroups folded over x, y; work = groups * tiles_down * tiles_across

// Params follow in shared/conv2d_params.wgsl.

// The item, for what is written.
var<private> item: u32;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = linear(group, groups) * 64u + local;
    if place >= params.work {
        return;
    }
    let first_pixel = (place % params.tiles_across) * 4u;
    let tile = place / params.tiles_across;
    let conv_group = tile / params.tiles_down;
    let first_output = (tile % params.tiles_down) * 4u;
    // Places past an end compute the last one again, and are not written.
    let outputs = conv_group * params.outputs_in_group
        + min(first_output + vec4(0u, 1u, 2u, 3u), vec4(params.outputs_in_group - 1u));
    let pixels = min(first_pixel + vec4(0u, 1u, 2u, 3u), vec4(params.out_pixels - 1u));
    let plane = params.height * params.width;
    let taps = params.kernel_height * params.kernel_width;
    let source = group.z * params.in_len + conv_group * params.channels_in_group * plane;
    let weights = outputs * params.channels_in_group * taps;

    // One column an output, one row a pixel.
    var sums = mat4x4<f32>();
    for (var tap = 0u; tap < taps; tap++) {
        let four = seen(pixels, tap);
        if !any(four.inside) {
            continue;
        }
        var at = four.at + source;
        var w = weights + tap;
        for (var channel = 0u; channel < params.channels_in_group; channel++) {
            let values = select(vec4(0.0), vec4(x(at.x), x(at.y), x(at.z), x(at.w)), four.inside);
            sums[0] += weight(w.x) * values;
            sums[1] += weight(w.y) * values;
            sums[2] += weight(w.z) * values;
            sums[3] += weight(w.w) * values;
            at += plane;
            w += taps;
        }
    }

    item = group.z;
    let ends = vec2((conv_group + 1u) * params.outputs_in_group, params.out_pixels);
    finish16(conv_group * params.outputs_in_group + first_output, first_pixel, ends, sums);
}

fn finish_at(output: u32, pixel: u32, sum: f32) {
    put(item * params.out_len + output * params.out_pixels + pixel, output, sum);
}
