// clip: max(min(x, high), low), one invocation per value; NaN stays NaN.
//
// CPU twin   src/kernel/clip.rs (`Clip::twin`)
// Params     src/kernel/clip.rs (`ClipParams`), layout checked by tests/shaders.rs
// In / Out   f32, any shape / f32, same shape
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    len: u32,
    low: f32,
    high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

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
    let place = group.z * params.len + index;
    let value = x(place);
    put(place, select(max(min(value, params.high), params.low), value, is_nan(value)));
}
