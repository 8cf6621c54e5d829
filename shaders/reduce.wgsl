// reduce: one number for the values along some axes, chosen by a pipeline constant, `lanes` invocations per number.
//
// CPU twin   src/kernel/reduce.rs (`Reduce::twin`)
// Params     src/kernel/reduce.rs (`ReduceParams`), layout checked by tests/shaders.rs
// In / Out   f32, any shape / f32, the shape with those axes at 1
// Dispatch   ceil(rows * lanes / 64) workgroups folded over x, y
//
// Params, the places and the numbers of the functions follow in shared/reduced.wgsl.

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = row_of(linear(group, groups), local, params.rows);
    let start = group.z * params.rows * params.len + start_of(row.index);
    var shift = 0.0;
    if op == LOG_SUM_EXP {
        // Without its largest value no sum of finite values overflows.
        let largest = fold(local, row.lane, start, LARGEST, 0.0);
        shift = select(largest, 0.0, is_infinite(largest) || is_nan(largest));
    }
    var join = SUM;
    switch op {
        case MAX: { join = LARGEST; }
        case MIN: { join = SMALLEST; }
        case PROD: { join = PRODUCT; }
        default: {}
    }
    let whole = fold(local, row.lane, start, join, shift);
    if row.writes && row.lane == 0u {
        put(group.z * params.rows + row.index, finished(whole, shift, local));
    }
}

fn fold(local: u32, lane: u32, start: u32, join: u32, shift: f32) -> f32 {
    var share = 0.0;
    switch join {
        case LARGEST, SMALLEST: { share = x(start); }
        case PRODUCT: { share = 1.0; }
        default: {}
    }
    for (var index = lane; index < params.len; index += lanes) {
        var value = x(start + place_in_row(index));
        if join == SUM {
            value = summand(value, shift);
        }
        share = joined(share, value, join);
    }
    return of_lanes(local, share, join);
}

fn summand(value: f32, shift: f32) -> f32 {
    switch op {
        case L1: { return abs(value); }
        case L2, SUM_SQUARE: { return value * value; }
        case LOG_SUM_EXP: { return select(exp(value - shift), value, is_nan(value)); }
        default: { return value; }
    }
}

fn finished(whole: f32, shift: f32, local: u32) -> f32 {
    switch op {
        case MEAN: { return whole / f32(params.len); }
        case L2: { return sqrt(whole); }
        case LOG_SUM, LOG_SUM_EXP: {
            return select(logarithm(whole, local) + shift, quiet_nan(local), whole < 0.0 || is_nan(whole));
        }
        default: { return whole; }
    }
}
