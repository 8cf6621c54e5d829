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

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    let value = x(item * params.len + index);
    return select(max(min(value, params.high), params.low), value, is_nan(value));
}
