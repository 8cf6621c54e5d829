// relu: max(x, 0), one invocation per value; NaN stays NaN.
//
// CPU twin   src/kernel/relu.rs (`Relu::twin`)
// Params     src/kernel/relu.rs (`ReluParams`), layout checked by tests/shaders.rs
// In / Out   f32, any shape / f32, same shape
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    len: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    let value = x(item * params.len + index);
    return select(max(value, 0.0), value, is_nan(value));
}
