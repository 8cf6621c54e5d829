// gather: places of an axis by their numbers, one invocation per value; a number that names no place gives none.
//
// CPU twin   src/kernel/gather.rs (`Gather::twin`)
// Params     src/kernel/gather.rs (`GatherParams`), layout checked by tests/shaders.rs
// In / Out   f32 or i32 [.., axis, ..] and f32 or i32, any shape / as the first [.., indices, ..]
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    axis: u32,
    inner: u32,
    indices: u32,
    data_step: u32,
    indices_step: u32,
    len: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// The place that an index names, or -1.
fn place_of(index: i32) -> i32 {
    let axis = i32(params.axis);
    let place = select(index, index + axis, index < 0);
    return select(-1, place, place >= 0 && place < axis);
}

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    let which = index / params.inner % params.indices;
    let before = index / params.inner / params.indices;
    let place = place_of(indices_whole(item * params.indices_step + which));
    var value = no_value(local);
    if place >= 0 {
        let row = before * params.axis + u32(place);
        value = data(item * params.data_step + row * params.inner + index % params.inner);
    }
    return value;
}
