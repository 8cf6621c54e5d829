
// Rows that invocations share: `lanes` of 64 have one, a power of two up to 64 (src/kernel/lanes.rs).
override lanes: u32;

const SUM = 0u;
const LARGEST = 1u;
const SMALLEST = 2u;
const PRODUCT = 3u;

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
