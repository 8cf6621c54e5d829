//! A stage that waits until it is interrupted: a run that fails meanwhile must not wait for it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use gapless::{Cause, CpuStage};

/// How long it waits where nobody interrupts it.
const PATIENCE: Duration = Duration::from_secs(15);

/// Fails for the first document when another is at work, and waits with that until it is interrupted.
pub(crate) struct Waits<D, P> {
    is_first: fn(&D) -> bool,
    state: Mutex<State>,
    changed: Condvar,
    in_vain: Arc<AtomicBool>,
    prepared: PhantomData<fn() -> P>,
}

#[derive(Default)]
struct State {
    another_is_inside: bool,
    interrupted: bool,
}

impl<D: 'static, P: Send + 'static> CpuStage<D> for Waits<D, P> {
    type Prepared = P;

    fn prepare(&self, document: &mut D) -> Result<P, Cause> {
        let first = (self.is_first)(document);
        let mut state = self.state.lock().expect("no panic");
        state.another_is_inside |= !first;
        self.changed.notify_all();
        let waits = |state: &mut State| if first { !state.another_is_inside } else { !state.interrupted };
        let waited = self.changed.wait_timeout_while(state, PATIENCE, waits).expect("no panic").1;
        self.in_vain.fetch_or(waited.timed_out(), Ordering::SeqCst);
        Err(Cause::msg("planned"))
    }

    fn interrupt(&self) {
        self.state.lock().expect("no panic").interrupted = true;
        self.changed.notify_all();
    }
}

/// Runs this with such a stage; nothing may wait for the other document any longer when the first has failed.
pub(crate) fn interrupted<D, P>(is_first: fn(&D) -> bool, run: impl FnOnce(Waits<D, P>)) {
    let in_vain = Arc::<AtomicBool>::default();
    run(Waits {
        is_first,
        state: Mutex::default(),
        changed: Condvar::new(),
        in_vain: in_vain.clone(),
        prepared: PhantomData,
    });
    assert!(!in_vain.load(Ordering::SeqCst), "nobody interrupted the stage");
}
