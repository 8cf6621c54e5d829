
// Functions of exp that neither overflow nor lose their small values.

// exp(x) - 1: the series near 0, where the subtraction would leave few digits.
fn exp_minus_one(x: f32) -> f32 {
    let series = x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0)))));
    return select(exp(x) - 1.0, series, abs(x) < 0.25);
}

// log(1 + x) for x >= 0: the quotient takes back what the rounding of 1 + x cost
// (Goldberg, "What every computer scientist should know about floating-point arithmetic", theorem 4).
fn log_one_plus(x: f32) -> f32 {
    let sum = 1.0 + x;
    return select(x * (log(sum) / (sum - 1.0)), x, sum == 1.0);
}

fn sigmoid(x: f32) -> f32 {
    let e = exp(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// tanh: near 0 its series (DLMF 4.33.3), and elsewhere by an exponential that does not overflow.
fn tangent(x: f32) -> f32 {
    let s = x * x;
    let series = x * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
    let far = 1.0 - 2.0 / (exp(2.0 * min(abs(x), 16.0)) + 1.0);
    return select(select(far, -far, x < 0.0), series, s < 0.0625);
}

// x * tanh(softplus(x)), with n = exp(x): n (n + 2) / (n (n + 2) + 2).
fn mish(x: f32) -> f32 {
    let n = exp(min(x, 20.0));
    let m = n * (n + 2.0);
    return x * select(m / (m + 2.0), 1.0, x >= 20.0);
}
