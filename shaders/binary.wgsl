// binary: one function of every pair of values, one invocation per value.
//
// CPU twin   src/kernel/binary.rs (`Binary::twin`), functions in src/kernel/binary/op.rs
// Params     src/kernel/binary.rs (`BinaryParams`), layout checked by tests/shaders.rs
// In / Out   two of f32 or two of i32, shapes that fit / the same, f32 for a comparison, the shape of both, repeated
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    // Length, stride in a and stride in b of every loop, the outermost first.
    axes: array<vec4<u32>, 8>,
    len: u32,
    a_step: u32,
    b_step: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// The function is written behind it (src/kernel/binary/text.rs), those of whole numbers in shared/binary_*.wgsl.
override rank: u32;

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    let places = places_of(index);
    let first = a(item * params.a_step + places.x);
    let second = b(item * params.b_step + places.y);
    return function(first, second, local);
}

// Where the value lies in a and in b.
fn places_of(index: u32) -> vec2<u32> {
    var rest = index;
    var places = vec2(0u);
    for (var place = rank - 1u; place > 0u; place--) {
        let axis = params.axes[place];
        places += rest % axis.x * axis.yz;
        rest /= axis.x;
    }
    return places + rest * params.axes[0].yz;
}
