//! Random numbers that are the same on every platform, and ids that are not.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::split_mix;

/// Numbers that are the same everywhere for a seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        split_mix::next(&mut self.0)
    }

    /// A number below `end`, by multiplication (D. Lemire 2019) without the rejection: for any array that
    /// fits memory the bias is below 2^-20.
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// A number from 0 to 1, without 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Puts the first `chosen` places in random order, each element as likely in each (R. Fisher, F. Yates).
    pub(crate) fn shuffle<T>(&mut self, elements: &mut [T], chosen: usize) {
        for place in 0..chosen.min(elements.len().saturating_sub(1)) {
            let other = place + self.below(elements.len() - place);
            elements.swap(place, other);
        }
    }
}

/// A fresh id: 32 hexadecimal digits, as DocArray has them.
///
/// The standard library takes 128 random bits from the system for its hash maps; under that key a
/// counter gives ids that neither this nor another process has.
pub(crate) fn fresh_id() -> String {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let key = KEY.get_or_init(RandomState::new);
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    let half = |half: u64| {
        let mut hasher = key.build_hasher();
        hasher.write_u64(count);
        hasher.write_u64(half);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(0), half(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_everywhere() {
        // Reference values of SplitMix64 with the seed 1234567.
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next(), random.next(), random.next()], expected);
    }

    #[test]
    fn every_order_is_about_as_likely() {
        let mut counts = std::collections::BTreeMap::new();
        let mut random = Random::new(5);
        for _ in 0..6_000 {
            let mut letters = ['a', 'b', 'c'];
            random.shuffle(&mut letters, 3);
            *counts.entry(letters).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }

    #[test]
    fn ids_are_never_the_same() {
        let ids: std::collections::BTreeSet<String> = (0..10_000).map(|_| fresh_id()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }
}
