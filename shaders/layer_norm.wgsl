// layer_norm: (x - mean) / sqrt(variance + epsilon) * scale + bias, over each row, `lanes` invocations per row; or with a mean of 0.
//
// CPU twin   src/kernel/layer_norm.rs (`LayerNorm::twin`)
// Params     src/kernel/layer_norm.rs (`LayerNormParams`), layout checked by tests/shaders.rs
// In / Out   f32 [rows, len], scale f32 [len], where there is one bias f32 [len] / f32 [rows, len]
// Dispatch   ceil(rows * lanes / 64) workgroups folded over x, y
struct Params {
    rows: u32,
    len: u32,
    x_step: u32,
    scale_step: u32,
    bias_step: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = row_of(linear(group, groups), local, params.rows);
    let start = group.z * params.x_step + row.index * params.len;
    let own = moments(start, row.lane, local);
    let place = (group.z * params.rows + row.index) * params.len;
    let last = select(0u, params.len, row.writes);
    for (var index = row.lane; index < last; index += lanes) {
        let factor = scale(group.z * params.scale_step + index);
        let value = (x(start + index) - own.mean) * own.inverse_std;
        put(place + index, value * factor + bias(group.z * params.bias_step + index));
    }
}
