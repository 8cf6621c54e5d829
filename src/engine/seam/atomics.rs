//! Atomic numbers of the road: the standard library's, which in tests count how often a thread changes one.
//!
//! Only what reads and writes in one step is counted, since that takes a core's cache line from all others. A
//! load or a store by the one thread that writes is not.

#[cfg(not(test))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

#[cfg(test)]
pub(crate) use self::counted::{AtomicBool, AtomicU64, AtomicUsize, changes, count_change};

#[cfg(test)]
mod counted {
    use std::cell::Cell;
    use std::sync::atomic::{self, Ordering};

    thread_local! {
        static CHANGES: Cell<u64> = const { Cell::new(0) };
    }

    /// Changes that this thread has made so far.
    pub(crate) fn changes() -> u64 {
        CHANGES.get()
    }

    pub(crate) fn count_change() {
        CHANGES.set(CHANGES.get() + 1);
    }

    macro_rules! counted {
        ($name:ident of $value:ty, $($method:ident)+) => {
            #[derive(Debug, Default)]
            pub(crate) struct $name(atomic::$name);

            impl $name {
                pub(crate) const fn new(value: $value) -> Self {
                    Self(atomic::$name::new(value))
                }

                pub(crate) fn load(&self, order: Ordering) -> $value {
                    self.0.load(order)
                }

                pub(crate) fn store(&self, value: $value, order: Ordering) {
                    self.0.store(value, order);
                }

                $(pub(crate) fn $method(&self, value: $value, order: Ordering) -> $value {
                    count_change();
                    self.0.$method(value, order)
                })+
            }
        };
    }

    counted!(AtomicBool of bool, swap);
    counted!(AtomicU64 of u64, fetch_add);
    counted!(AtomicUsize of usize, fetch_add fetch_sub);

    impl AtomicUsize {
        pub(crate) fn fetch_update(
            &self,
            set: Ordering,
            fetch: Ordering,
            change: impl FnMut(usize) -> Option<usize>,
        ) -> Result<usize, usize> {
            count_change();
            self.0.fetch_update(set, fetch, change)
        }
    }
}
