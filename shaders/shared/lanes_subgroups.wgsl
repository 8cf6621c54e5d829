
// of_lanes: what the 64 invocations that share a row bring, joined subgroup by subgroup. All must call it.
//
// A subgroup may have any size and any invocations of the workgroup: what it brings stands in the place of
// its first invocation, and all other places hold what changes nothing. Each subgroup then joins the
// places, as many at a time as it has invocations.
var<workgroup> shares: array<f32, 64>;

fn of_lanes(local: u32, share: f32, join: u32) -> f32 {
    // What was here before has been read by all; and lanes with fewer values, which are here first, are in step with
    // the others, as a subgroup must be.
    workgroupBarrier();
    let whole = of_subgroup(share, join);
    let is_first = subgroupMin(local) == local;
    let changes_nothing = select(whole, select(0.0, 1.0, join == PRODUCT), join == SUM || join == PRODUCT);
    shares[local] = select(changes_nothing, whole, is_first);
    workgroupBarrier();
    let count = subgroupAdd(1u);
    let own = subgroupExclusiveAdd(1u);
    var all = shares[own];
    for (var first = count; first < 64u; first += count) {
        let place = first + own;
        all = joined(all, select(changes_nothing, shares[min(place, 63u)], place < 64u), join);
    }
    return of_subgroup(all, join);
}

fn of_subgroup(share: f32, join: u32) -> f32 {
    switch join {
        case LARGEST: { return in_order(subgroupMax(order_of(share, 0xffffffffu))); }
        case SMALLEST: { return in_order(subgroupMin(order_of(share, 0u))); }
        case PRODUCT: { return subgroupMul(share); }
        default: { return subgroupAdd(share); }
    }
}

// Whole numbers in the order of the floats, since a subgroup may drop NaN among floats; NaN is at the given end.
fn order_of(value: f32, nan: u32) -> u32 {
    let bits = bitcast<u32>(value);
    let order = bits ^ select(0x80000000u, 0xffffffffu, bits >= 0x80000000u);
    return select(order, nan, is_nan(value));
}

fn in_order(order: u32) -> f32 {
    return bitcast<f32>(order ^ select(0xffffffffu, 0x80000000u, order >= 0x80000000u));
}
