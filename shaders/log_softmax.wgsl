// log_softmax: x - largest - log(sum of exp(x - largest)), over each row, `lanes` invocations per row.
//
// CPU twin   src/kernel/log_softmax.rs (`LogSoftmax::twin`)
// Params     src/kernel/softmax.rs (`SoftmaxParams`), layout checked by tests/shaders.rs
// In / Out   f32 [.., len, ..] / f32, same shape
// Dispatch   ceil(rows * lanes / 64) workgroups folded over x, y
struct Params {
    rows: u32,
    len: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = row_of(linear(group, groups), local, params.rows);
    let start = start_of(row.index) + group.z * params.rows * params.len;
    let part = exponentials(start, row.lane, local);
    // Every lane waits for the others above; from here on each writes its own share.
    let last = select(0u, params.len, row.writes);
    for (var index = row.lane; index < last; index += lanes) {
        let place = start + index * params.inner;
        put(place, select(quiet_nan(local), x(place) - part.largest - log(part.sum), part.is_there));
    }
}
