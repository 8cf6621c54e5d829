//! A CPU stage that several runs share.

use std::sync::Arc;

use super::{Begun, Context, CpuStage};
use crate::error::Cause;

/// A stage that is shared is the stage: every call reaches it, so each of its runs may [`interrupt`] what the
/// others are at, and [`Context::is_stopped`](super::Context::is_stopped) says whether it was the call's own.
///
/// ```
/// use gapless::{Cause, parallel, with_state};
/// use std::sync::Arc;
/// let count = |calls: &mut u32, _: &mut u8| {
///     *calls += 1;
///     Ok::<_, Cause>(*calls)
/// };
/// let stage = Arc::new(with_state(|_rank| 0, count));
/// assert_eq!(parallel(stage.clone(), [7, 7]).workers(1).collect()?, [1, 2]);
/// assert_eq!(parallel(stage, [7]).workers(1).collect()?, [3], "the state was kept");
/// # Ok::<(), gapless::parallel::Failed<u8>>(())
/// ```
///
/// [`interrupt`]: CpuStage::interrupt
impl<D, C: CpuStage<D> + ?Sized> CpuStage<D> for Arc<C> {
    type Prepared = C::Prepared;

    fn prepare(&self, document: &mut D) -> Result<C::Prepared, Cause> {
        (**self).prepare(document)
    }

    fn recycle(&self, used: C::Prepared) {
        (**self).recycle(used);
    }

    fn prepared_bytes(&self) -> Option<usize> {
        (**self).prepared_bytes()
    }

    fn interrupt(&self) {
        (**self).interrupt();
    }

    fn prepare_in(&self, document: &mut D, context: &Context<'_>) -> Result<C::Prepared, Cause> {
        (**self).prepare_in(document, context)
    }

    fn begin(&self, document: &mut D, context: &Context<'_>) -> Begun<C::Prepared> {
        (**self).begin(document, context)
    }

    fn waits(&self) -> bool {
        (**self).waits()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Notes what of it is called.
    #[derive(Default)]
    struct Noted(Mutex<Vec<&'static str>>);

    impl Noted {
        fn note(&self, called: &'static str) {
            self.0.lock().unwrap().push(called);
        }
    }

    impl CpuStage<u8> for Noted {
        type Prepared = String;

        fn prepare(&self, _: &mut u8) -> Result<String, Cause> {
            self.note("prepare");
            Ok(String::new())
        }

        fn recycle(&self, _: String) {
            self.note("recycle");
        }

        fn prepared_bytes(&self) -> Option<usize> {
            self.note("prepared_bytes");
            Some(24)
        }

        fn interrupt(&self) {
            self.note("interrupt");
        }
    }

    fn call(stage: &impl CpuStage<u8, Prepared = String>) {
        let prepared = stage.prepare(&mut 0).unwrap();
        stage.recycle(prepared);
        assert_eq!(stage.prepared_bytes(), Some(24));
        stage.interrupt();
    }

    #[test]
    fn whatever_is_asked_of_a_shared_stage_reaches_the_stage() {
        let all = ["prepare", "recycle", "prepared_bytes", "interrupt"];
        let noted = Arc::new(Noted::default());
        call(&noted);
        assert_eq!(*noted.0.lock().unwrap(), all);
        let any: Arc<dyn CpuStage<u8, Prepared = String>> = noted.clone();
        call(&any);
        assert_eq!(*noted.0.lock().unwrap(), [all, all].concat());
    }
}
