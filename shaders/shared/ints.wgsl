
// Whole numbers of 32 bits (src/kernel/ints.rs). The least of them stands for one that they do not hold.
const NONE = i32(-2147483648);

fn sum_of(one: i32, other: i32) -> i32 {
    let sum = one + other;
    let over = ((one ^ sum) & (other ^ sum)) < 0;
    return select(sum, NONE, over || one == NONE || other == NONE);
}

fn product_of(one: i32, other: i32) -> i32 {
    let product = one * other;
    // A product that went over the end does not give back its factors.
    let over = one != 0 && product / select(one, 1, one == 0) != other;
    return select(product, NONE, over || one == NONE || other == NONE);
}

// The low bits of a number, from 8 to 32, as a signed or an unsigned number.
fn wrapped(value: i32, bits: u32, signed: bool) -> i32 {
    let away = 32u - bits;
    let low = bitcast<u32>(value) << away;
    let wrapped = select(bitcast<i32>(low >> away), bitcast<i32>(low) >> away, signed);
    return select(wrapped, NONE, value == NONE || (!signed && wrapped < 0));
}
