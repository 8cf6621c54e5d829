
// rest_of, modulo: the rest of a division, with the sign of the first and of the second.

fn modulo(first: f32, second: f32, any: u32) -> f32 {
    let rest = rest_of(first, second, any);
    return select(rest, rest + second, rest != 0.0 && (rest < 0.0) != (second < 0.0));
}

// The rest of first / second with the sign of first; the quotient may be one off, since a division may be.
fn rest_of(first: f32, second: f32, any: u32) -> f32 {
    let size = abs(second);
    var rest = abs(first) - size * floor(abs(first) / size);
    rest = select(rest, rest + size, rest < 0.0);
    rest = select(rest, rest - size, rest >= size);
    rest = select(rest, abs(first), is_infinite(second));
    let none = second == 0.0 || is_infinite(first) || is_nan(first) || is_nan(second);
    return select(select(rest, -rest, first < 0.0), quiet_nan(any), none);
}
