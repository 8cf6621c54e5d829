
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
