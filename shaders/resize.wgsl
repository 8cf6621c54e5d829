// resize: a tensor in another size, one invocation per value; a table says what each place is made of.
//
// CPU twin   src/kernel/resize/plan.rs (`Plan::run`)
// Params     src/kernel/resize.rs (`ResizeParams`), layout checked by tests/shaders.rs
// In / Out   f32, any shape, and a table: per place of each axis its start, or -1, and its weights / f32, as many axes
// Dispatch   ceil(len / 64) workgroups folded over x, y
struct Params {
    input: vec4<u32>,
    output: vec4<u32>,
    taps: vec4<u32>,
    behind: vec4<u32>,
    tables: vec4<u32>,
    in_len: u32,
    len: u32,
    outside: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear(group, groups) * 64u + local;
    if index >= params.len {
        return;
    }
    // From the last axis to the first: the place on each axis that may change, and what lies behind it.
    let size = params.output;
    let behind = params.behind;
    let to_c = index / behind.z;
    let to_b = to_c / size.z / behind.y;
    let to_a = to_b / size.y / behind.x;
    let place = vec3(to_a % size.x, to_b % size.y, to_c % size.z);
    let after = vec3(to_b / size.y % behind.x, to_c / size.z % behind.y, index % behind.z);
    let row = params.tables.xyz + place * (params.taps.xyz + 1u);
    let start = vec3(table(row.x), table(row.y), table(row.z));
    if any(start < vec3(0.0)) {
        put(group.z * params.len + index, params.outside);
        return;
    }
    let first = vec3<u32>(start);
    var sum = 0.0;
    for (var a = 0u; a < params.taps.x; a++) {
        let weight_a = table(row.x + 1u + a);
        let at_a = (to_a / size.x * params.input.x + first.x + a) * behind.x + after.x;
        if weight_a == 0.0 {
            continue;
        }
        for (var b = 0u; b < params.taps.y; b++) {
            let weight_b = weight_a * table(row.y + 1u + b);
            let at_b = (at_a * params.input.y + first.y + b) * behind.y + after.y;
            if weight_b == 0.0 {
                continue;
            }
            for (var c = 0u; c < params.taps.z; c++) {
                let weight = weight_b * table(row.z + 1u + c);
                let at = (at_b * params.input.z + first.z + c) * behind.z + after.z;
                if weight != 0.0 {
                    sum += weight * x(group.z * params.in_len + at);
                }
            }
        }
    }
    put(group.z * params.len + index, sum);
}
