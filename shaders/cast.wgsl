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

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    // The conversion follows in shared/cast_*.wgsl.
    return converted(x(item * params.len + index), local);
}
