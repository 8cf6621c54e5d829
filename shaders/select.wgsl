// select: one of two values, as a flag says, one invocation per value.
//
// CPU twin   src/kernel/select.rs (`Select::twin`)
// Params     src/kernel/select.rs (`SelectParams`), layout checked by tests/shaders.rs
// In / Out   f32 flags, f32 where they are not 0, f32 where they are, shapes that fit / f32, the shape of all, repeated
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    // Length, then the strides in the three inputs, of every loop, the outermost first.
    axes: array<vec4<u32>, 8>,
    len: u32,
    flag_step: u32,
    a_step: u32,
    b_step: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> flag: array<f32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

override rank: u32;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear(group, groups) * 256u + local;
    if index >= params.len {
        return;
    }
    let places = places_of(index) + group.z * vec3(params.flag_step, params.a_step, params.b_step);
    let flagged = flag[places.x];
    let value = select(a[places.y], b[places.z], flagged == 0.0);
    y[group.z * params.len + index] = select(value, quiet_nan(local), is_nan(flagged));
}

// Where the value lies in each input.
fn places_of(index: u32) -> vec3<u32> {
    var rest = index;
    var places = vec3(0u);
    for (var place = rank - 1u; place > 0u; place--) {
        let axis = params.axes[place];
        places += rest % axis.x * axis.yzw;
        rest /= axis.x;
    }
    return places + rest * params.axes[0].yzw;
}
