// top_k_select: the k largest or smallest values of each long row, or where they stand, in order, one workgroup per row.
//
// CPU twin   src/kernel/top_k.rs (`TopK::twin`)
// Params     src/kernel/top_k.rs (`TopKParams`), layout checked by tests/shaders.rs
// In / Out   f32 [.., len, ..] / f32 [.., k, ..]
// Dispatch   rows workgroups folded over x, y
struct Params {
    values: u32,
    len: u32,
    inner: u32,
    k: u32,
    smallest: u32,
    indices: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

const WIDTH = 256u;

// A value as its place in the order, of which larger comes first: of its bits, then of where it stands.
struct Key {
    value: u32,
    place: u32,
}

// How many values have each digit, then how many have it or a larger one.
var<workgroup> counts: array<atomic<u32>, 256>;
var<workgroup> sums: array<u32, 256>;
// The last one that is chosen, as far as its digits are known, and how many are still to be chosen with them.
var<workgroup> last: Key;
var<workgroup> wanted: u32;
var<workgroup> taken: atomic<u32>;
var<workgroup> has_nan: atomic<u32>;

// Where the row starts in x and in y.
var<private> source: u32;
var<private> goal: u32;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let rows = params.values / params.len;
    let row = linear(group, groups);
    if row >= rows {
        return;
    }
    let outer = row / params.inner * params.inner;
    source = group.z * params.values + outer * params.len + row % params.inner;
    goal = (group.z * rows + outer) * params.k + row % params.inner;
    if local == 0u {
        wanted = params.k;
        last = Key();
        atomicStore(&taken, 0u);
        atomicStore(&has_nan, 0u);
    }
    // Digit by digit: four of the value, and three of where it stands, which no two have in common.
    for (var digit = 0u; digit < 7u; digit++) {
        atomicStore(&counts[local], 0u);
        workgroupBarrier();
        count(digit, local);
        workgroupBarrier();
        choose(digit, local);
    }
    collect(local);
    storageBarrier();
    workgroupBarrier();
    sort(local);
    let is_nan = atomicLoad(&has_nan) > 0u;
    for (var place = local; place < params.k; place += WIDTH) {
        let at = goal + place * params.inner;
        let value = select(x(source + u32(got(at)) * params.inner), got(at), params.indices == 1u);
        put(at, select(value, quiet_nan(local), is_nan));
    }
}

fn value_of(place: u32) -> f32 {
    return x(source + place * params.inner);
}

fn key_of(place: u32) -> Key {
    let bits = bitcast<u32>(value_of(place));
    // Both zeros are one value.
    var order = bits ^ select(0x80000000u, 0xffffffffu, bits > 0x80000000u);
    order = select(order, 0x80000000u, bits == 0x80000000u);
    return Key(select(order, ~order, params.smallest == 1u), 0xffffffu - place);
}

fn comes_first(one: Key, other: Key) -> bool {
    return one.value > other.value || (one.value == other.value && one.place > other.place);
}

fn digit_of(key: Key, digit: u32) -> u32 {
    return (select(key.place << 8u, key.value, digit < 4u) >> (24u - digit % 4u * 8u)) & 255u;
}

// Whether a key has the digits of `last` that are known.
fn goes_on(key: Key, digit: u32) -> bool {
    let known_of_value = select(0xffffffffu, ~(0xffffffffu >> (digit * 8u)), digit < 4u);
    let known_of_place = select(0u, 0xffffffu & ~(0xffffffu >> ((digit - 4u) % 4u * 8u)), digit > 4u);
    return ((key.value ^ last.value) & known_of_value) == 0u && ((key.place ^ last.place) & known_of_place) == 0u;
}

fn count(digit: u32, local: u32) {
    for (var place = local; place < params.len; place += WIDTH) {
        if digit == 0u && is_nan(value_of(place)) {
            atomicStore(&has_nan, 1u);
        }
        let key = key_of(place);
        if goes_on(key, digit) {
            atomicAdd(&counts[digit_of(key, digit)], 1u);
        }
    }
}

// The next digit of the last one that is chosen. All invocations must call it.
fn choose(digit: u32, local: u32) {
    let own = atomicLoad(&counts[local]);
    sums[local] = own;
    let left = wanted;
    workgroupBarrier();
    for (var step = 1u; step < WIDTH; step *= 2u) {
        var more = 0u;
        if local + step < WIDTH {
            more = sums[local + step];
        }
        workgroupBarrier();
        sums[local] += more;
        workgroupBarrier();
    }
    let before = sums[local] - own;
    if before < left && left <= sums[local] {
        wanted = left - before;
        if digit < 4u {
            last.value |= local << (24u - digit * 8u);
        } else {
            last.place |= local << (48u - digit * 8u);
        }
    }
    workgroupBarrier();
}

// Where the chosen ones stand, k places in no order.
fn collect(local: u32) {
    for (var place = local; place < params.len; place += WIDTH) {
        if !comes_first(last, key_of(place)) {
            put(goal + atomicAdd(&taken, 1u) * params.inner, f32(place));
        }
    }
}

// Sorts in y by a network that has the better one at the lower place of every pair, so that a place past the end,
// which would hold what comes last, never changes. All invocations must call it.
fn sort(local: u32) {
    // Half of the power of two that holds them.
    let pairs = (1u << (32u - countLeadingZeros(params.k - 1u))) / 2u;
    for (var size = 2u; size < 2u * params.k; size *= 2u) {
        for (var half = size / 2u; half > 0u; half /= 2u) {
            // Four pairs a round, so that the rounds of a long row are few.
            for (var pair = local; pair < pairs; pair += 4u * WIDTH) {
                swap(pair, size, half);
                swap(pair + WIDTH, size, half);
                swap(pair + 2u * WIDTH, size, half);
                swap(pair + 3u * WIDTH, size, half);
            }
            storageBarrier();
            workgroupBarrier();
        }
    }
}

fn swap(pair: u32, size: u32, half: u32) {
    let start = pair / half * half * 2u;
    let way = pair % half;
    // The first step of a size puts two sorted parts against each other, as in a mirror.
    let far = start + select(half + way, size - 1u - way, 2u * half == size);
    if far >= params.k {
        return;
    }
    let near_at = goal + (start + way) * params.inner;
    let far_at = goal + far * params.inner;
    let one = got(near_at);
    let other = got(far_at);
    if comes_first(key_of(u32(other)), key_of(u32(one))) {
        put(near_at, other);
        put(far_at, one);
    }
}
