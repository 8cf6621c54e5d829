// conv_transpose: transposed convolution, one invocation per four outputs of one group at one place.
//
// CPU twin   src/kernel/conv_transpose/twin.rs (`run`)
// Params     src/kernel/conv_transpose.rs (`ConvTransposeParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, d, h, w], [channels, outputs / groups, kd, kh, kw], [outputs] / f32 [outputs, d, h, w]
// Dispatch   ceil(work / 64) workgroups folded over x, y; work = groups * tiles * d * h * w of the output
struct Params {
    input: vec4<i32>,
    output: vec4<i32>,
    kernel: vec4<i32>,
    stride: vec4<i32>,
    before: vec4<i32>,
    dilation: vec4<i32>,
    in_len: u32,
    len: u32,
    tiles: u32,
    work: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// The place of the input that a tap brings here, where `way` is what lies between; -1 where there is none.
fn source_of(way: i32, stride: i32, input: i32) -> i32 {
    let place = way / stride;
    return select(-1, place, way >= 0 && place * stride == way && place < input);
}

// Where this place of the first output lies.
var<private> output_at: u32;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear(group, groups) * 64u + local;
    if index >= params.work {
        return;
    }
    let size = vec4<u32>(params.output);
    let places = size.y * size.z * size.w;
    let place = index % places;
    let conv_group = index / places / params.tiles;
    let first = index / places % params.tiles * 4u;
    // Outputs past the end compute the last one again, and are not written.
    let outputs = min(first + vec4(0u, 1u, 2u, 3u), vec4(size.x - 1u));
    let at = vec3<i32>(vec3(place / size.w / size.z, place / size.w % size.z, place % size.w)) + params.before.yzw;
    let kernel = params.kernel.yzw;
    let taps = u32(kernel.x * kernel.y * kernel.z);
    let plane = u32(params.input.y * params.input.z * params.input.w);
    let channels = u32(params.input.x);
    let source = group.z * params.in_len + conv_group * channels * plane;

    var sums = vec4(0.0);
    for (var tap_z = 0; tap_z < kernel.x; tap_z++) {
        let z = source_of(at.x - tap_z * params.dilation.y, params.stride.y, params.input.y);
        if z < 0 {
            continue;
        }
        for (var tap_y = 0; tap_y < kernel.y; tap_y++) {
            let row = source_of(at.y - tap_y * params.dilation.z, params.stride.z, params.input.z);
            if row < 0 {
                continue;
            }
            for (var tap_x = 0; tap_x < kernel.z; tap_x++) {
                let column = source_of(at.z - tap_x * params.dilation.w, params.stride.w, params.input.w);
                if column < 0 {
                    continue;
                }
                let tap = u32((tap_z * kernel.y + tap_y) * kernel.z + tap_x);
                var value_at = source + u32((z * params.input.z + row) * params.input.w + column);
                var w = (conv_group * channels * size.x + outputs) * taps + tap;
                for (var channel = 0u; channel < channels; channel++) {
                    sums += x(value_at) * vec4(weight(w.x), weight(w.y), weight(w.z), weight(w.w));
                    value_at += plane;
                    w += size.x * taps;
                }
            }
        }
    }

    let output = conv_group * size.x + first;
    output_at = group.z * params.len + place;
    finish4(places, output, vec2(places + 1u, (conv_group + 1u) * size.x), sums);
}

// Of one place of planes of so many, the sums of several outputs.
fn finish_at(places: u32, output: u32, sum: f32) {
    put(output_at + output * places, sum + bias(output));
}
