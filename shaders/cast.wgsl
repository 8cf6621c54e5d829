// cast: every value as another element holds it, one invocation per value.
//
// CPU twin   src/kernel/cast.rs (`Cast::twin`)
// Params     src/kernel/cast.rs (`CastParams`), layout checked by tests/shaders.rs
// In / Out   f32 or i32, any shape / f32 or i32, same shape
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    len: u32,
    bits: u32,
    signed: u32,
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
    // The conversion follows in shared/cast_*.wgsl.
    put(place, converted(x(place), local));
}
