// select: one of two values, as a flag says, one invocation per value.
//
// CPU twin   src/kernel/select.rs (`Select::twin`)
// Params     src/kernel/select.rs (`SelectParams`), layout checked by tests/shaders.rs
// In / Out   f32 flags, f32 or i32 where they are not 0 and where they are, shapes that fit / as these, the shape of all, repeated
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

override rank: u32;

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    let places = places_of(index) + item * vec3(params.flag_step, params.a_step, params.b_step);
    let flagged = flag(places.x);
    let value = select(a(places.y), b(places.z), flagged == 0.0);
    return select(value, no_value(local), is_nan(flagged));
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
