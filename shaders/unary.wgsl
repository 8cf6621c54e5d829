// unary: one function of every value, one invocation per value.
//
// CPU twin   src/kernel/unary.rs (`Unary::twin`), functions in src/kernel/unary/function.rs
// Params     src/kernel/unary.rs (`UnaryParams`), layout checked by tests/shaders.rs
// In / Out   f32 or i32, any shape / the same
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    len: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// The function is written behind it (src/kernel/unary/text.rs), that of whole numbers in shared/unary_ints.wgsl.

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    return function(x(item * params.len + index), local);
}
