
// of_lanes: what the invocations that share a row bring, joined in a fixed order. All 64 must call it.
// `lanes` of them share a row: a power of two up to 64 (src/kernel/lanes.rs).
override lanes: u32;

const SUM = 0u;
const LARGEST = 1u;
const SMALLEST = 2u;
const PRODUCT = 3u;

var<workgroup> shares: array<f32, 64>;

fn of_lanes(local: u32, share: f32, join: u32) -> f32 {
    // What was here before has been read by all.
    workgroupBarrier();
    shares[local] = share;
    workgroupBarrier();
    for (var half = lanes / 2u; half > 0u; half /= 2u) {
        if local % lanes < half {
            shares[local] = joined(shares[local], shares[local + half], join);
        }
        workgroupBarrier();
    }
    return shares[local - local % lanes];
}

// NaN is larger and smaller than every number, so that it is never lost.
fn joined(one: f32, other: f32, join: u32) -> f32 {
    switch join {
        case LARGEST: { return select(other, one, is_nan(one) || (one > other && !is_nan(other))); }
        case SMALLEST: { return select(other, one, is_nan(one) || (one < other && !is_nan(other))); }
        case PRODUCT: { return one * other; }
        default: { return one + other; }
    }
}

// Which row an invocation works on; past the last one it works on the last one again and must not write.
struct Row {
    index: u32,
    lane: u32,
    writes: bool,
}

fn row_of(place: u32, local: u32, rows: u32) -> Row {
    let index = place * (64u / lanes) + local / lanes;
    return Row(min(index, rows - 1u), local % lanes, index < rows);
}
