
// function: of two whole numbers; NONE where one of them is none, or 32 bits do not hold the result.
// The numbers are places in the list of `BinaryOp` (src/kernel/binary/op.rs).
override op: u32;

fn function(first: i32, second: i32, local: u32) -> i32 {
    if first == NONE || second == NONE {
        return NONE;
    }
    switch op {
        case 0u: { return sum_of(first, second); }
        case 1u: { return sum_of(first, -second); }
        case 2u: { return product_of(first, second); }
        case 4u: { return power_of(first, second); }
        case 5u: { return min(first, second); }
        case 6u: { return max(first, second); }
        default: {}
    }
    if second == 0 {
        return NONE;
    }
    switch op {
        case 3u: { return first / second; }
        case 8u: {
            let rest = first % second;
            return select(rest, rest + second, rest != 0 && (rest < 0) != (second < 0));
        }
        default: { return first % second; }
    }
}

// Any power of a number beyond -1 to 1 whose exponent is negative is less than 1, so 0 is left of it.
fn power_of(base: i32, exponent: i32) -> i32 {
    if exponent < 0 {
        let odd = select(1, base, (exponent & 1) == 1);
        return select(select(0, odd, abs(base) == 1), NONE, base == 0);
    }
    var product = 1;
    var factor = base;
    for (var rest = u32(exponent); rest > 0u; rest >>= 1u) {
        if (rest & 1u) == 1u {
            product = product_of(product, factor);
        }
        // Behind the last digit the square is not needed, and may be too large.
        if rest > 1u {
            factor = product_of(factor, factor);
        }
    }
    return product;
}
