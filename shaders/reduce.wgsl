// reduce: one number for the values along some axes, chosen by a pipeline constant, `lanes` invocations per number.
//
// CPU twin   src/kernel/reduce.rs (`Reduce::twin`)
// Params     src/kernel/reduce.rs (`ReduceParams`), layout checked by tests/shaders.rs
// In / Out   f32, any shape / f32, the shape with those axes at 1
// Dispatch   ceil(rows * lanes / 64) workgroups folded over x, y
struct Params {
    // Length and stride of every loop, the outermost first: over the numbers, then along a row.
    kept: array<vec4<u32>, 8>,
    reduced: array<vec4<u32>, 8>,
    kept_count: u32,
    reduced_count: u32,
    rows: u32,
    len: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// Places in the list of `ReduceOp` (src/kernel/reduce/op.rs).
override op: u32;
const MEAN = 1u;
const MAX = 2u;
const MIN = 3u;
const PROD = 4u;
const L1 = 5u;
const L2 = 6u;
const SUM_SQUARE = 7u;
const LOG_SUM = 8u;
const LOG_SUM_EXP = 9u;

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
        y[group.z * params.rows + row.index] = finished(whole, shift, local);
    }
}

fn fold(local: u32, lane: u32, start: u32, join: u32, shift: f32) -> f32 {
    var share = 0.0;
    switch join {
        case LARGEST, SMALLEST: { share = x[start]; }
        case PRODUCT: { share = 1.0; }
        default: {}
    }
    for (var index = lane; index < params.len; index += lanes) {
        var value = x[start + place_in_row(index)];
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
            return select(log(whole) + shift, quiet_nan(local), whole < 0.0 || is_nan(whole));
        }
        default: { return whole; }
    }
}

fn start_of(row: u32) -> u32 {
    var rest = row;
    var start = 0u;
    for (var place = params.kept_count - 1u; place > 0u; place--) {
        let axis = params.kept[place];
        start += rest % axis.x * axis.y;
        rest /= axis.x;
    }
    return start + rest * params.kept[0].y;
}

fn place_in_row(index: u32) -> u32 {
    var rest = index;
    var offset = 0u;
    for (var place = params.reduced_count - 1u; place > 0u; place--) {
        let axis = params.reduced[place];
        offset += rest % axis.x * axis.y;
        rest /= axis.x;
    }
    return offset + rest * params.reduced[0].y;
}
