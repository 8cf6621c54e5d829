// depthwise_conv2d: convolution with one channel a group, one invocation per four pixels of one output.
//
// CPU twin   src/kernel/conv2d.rs (`Conv2d::twin`)
// Params     src/kernel/conv2d.rs (`Conv2dParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, h, w], f32 or f16 [outputs, channels / groups, kh, kw], f32 [outputs] / f32 [outputs, out_h, out_w]
// Dispatch   ceil(work / 64) workgroups folded over x, y; work = outputs * tiles_across

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
    let output = place / params.tiles_across;
    // Places past the end compute the last one again, and are not written.
    let pixels = min(first_pixel + vec4(0u, 1u, 2u, 3u), vec4(params.out_pixels - 1u));
    let plane = params.height * params.width;
    let taps = params.kernel_height * params.kernel_width;
    let source = group.z * params.in_len + output / params.outputs_in_group * plane;

    var sums = vec4(0.0);
    for (var tap = 0u; tap < taps; tap++) {
        let four = seen(pixels, tap);
        let at = four.at + source;
        let values = select(vec4(0.0), vec4(x(at.x), x(at.y), x(at.z), x(at.w)), four.inside);
        sums += weight(output * taps + tap) * values;
    }

    item = group.z;
    finish4(output, first_pixel, vec2(output + 1u, params.out_pixels), sums);
}

fn finish_at(output: u32, pixel: u32, sum: f32) {
    put(item * params.out_len + output * params.out_pixels + pixel, output, sum);
}
