// reduce_ints: one whole number for those along some axes, chosen by a pipeline constant, one invocation per number.
//
// CPU twin   src/kernel/reduce/ints.rs (`run`)
// Params     src/kernel/reduce.rs (`ReduceParams`), layout checked by tests/shaders.rs
// In / Out   i32, any shape / i32, the shape with those axes at 1
// Dispatch   ceil(rows / 64) workgroups folded over x, y
//
// Params, the places and the numbers of the functions follow in shared/reduced.wgsl.

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = linear(group, groups) * 64u + local;
    if row >= params.rows {
        return;
    }
    let start = group.z * params.rows * params.len + start_of(row);
    var whole = share_of(x(start + place_in_row(0u)));
    for (var index = 1u; index < params.len; index++) {
        whole = joined(whole, share_of(x(start + place_in_row(index))));
    }
    if op == MEAN && whole != NONE {
        whole /= i32(params.len);
    }
    put(group.z * params.rows + row, whole);
}

fn share_of(value: i32) -> i32 {
    switch op {
        case L1: { return abs(value); }
        case SUM_SQUARE: { return product_of(value, value); }
        default: { return value; }
    }
}

fn joined(one: i32, other: i32) -> i32 {
    let none = one == NONE || other == NONE;
    switch op {
        case MAX: { return select(max(one, other), NONE, none); }
        case MIN: { return min(one, other); }
        case PROD: { return product_of(one, other); }
        default: { return sum_of(one, other); }
    }
}
