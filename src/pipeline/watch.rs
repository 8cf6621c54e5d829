//! How a pipeline's run is watched: progress for programs and people, and the watchdog.

use std::time::Duration;

use super::{Mode, Pipeline};
use crate::engine::settings::{Patience, Watchdog};
use crate::error::stalled::Stalled;
use crate::observe::progress::Progress;
use crate::observe::record::Recording;
use crate::stage::CpuStage;

impl<D, C, G, A, M> Pipeline<D, C, G, A, M>
where
    M: Mode<D>,
    C: CpuStage<M::Item>,
{
    /// Calls this on the caller's thread with every batch that comes out. Default none.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |n: &mut u32| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u32]| Ok::<_, Cause>(batch.to_vec());
    /// let show = |progress: &gapless::Progress| println!("{progress}");
    /// assert_eq!(Pipeline::new(cpu, gpu).progress(show).run(0..64).count(), 4);
    /// ```
    pub fn progress(mut self, on_progress: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Whether the run is recorded, so that [`Run::trace`](crate::Run::trace) can write who did what when, and
    /// [`Run::timeline_svg`](crate::Run::timeline_svg) can draw it. Default off: then nothing is recorded and it
    /// costs nothing.
    ///
    /// `true` makes room for 262,144 spans, a number for so many; one takes 32 bytes, so that is 8 MiB,
    /// taken before the run starts. A group of documents, each thing done with a batch, and each wait is one
    /// span. What has no room is counted and left out. 0 is off.
    pub fn trace(mut self, recording: impl Into<Recording>) -> Self {
        self.settings.recording = recording.into();
        self
    }

    /// Documents that there are in all, for whoever shows [`progress`](Self::progress). Default: what the
    /// source says of itself, where its `size_hint` is exact.
    pub fn total(mut self, documents: u64) -> Self {
        self.settings.total = Some(documents);
        self
    }

    /// Shows on a terminal's stderr how far the run has come, with the feature `progress` (on by default):
    /// documents done of all, documents a second, the time left, how busy CPU and devices were, how much
    /// stands in the line, failures. Default off. It is silent where stderr is no terminal.
    ///
    /// It is drawn in the caller's `next`, at most ten times a second, also while that waits, and for the
    /// last time when the run ends. It says what the `Display` of [`Progress`] writes. Lines that are printed
    /// meanwhile stand beside it; stdout that goes to a file is not touched.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |n: &mut u32| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u32]| Ok::<_, Cause>(batch.to_vec());
    /// // [======>     ] 512/1024  51.2/s  ETA 0:00:10  CPU 98 %  GPU 43 %  line 12/64
    /// assert_eq!(Pipeline::new(cpu, gpu).progress_bar().run(0..1024).count(), 64);
    /// ```
    #[cfg(feature = "progress")]
    pub fn progress_bar(mut self) -> Self {
        self.settings.bar = true;
        self
    }

    /// Looks whether anything moves in the run, and says who waits for whom where nothing has for this long:
    /// which document, which stage, which thread, which token. Default none; 0 is an error.
    ///
    /// Everything counts as moving that begins or returns: a call of the source, of a stage, of `then`, of the
    /// caller. So patience is to be longer than the longest of them. With [`Watchdog::Tell`] each stall is told
    /// once, to the function given to [`on_stall`](Self::on_stall), else on stderr; with [`Watchdog::End`] the run
    /// ends as well, with [`Error::Stalled`](crate::Error::Stalled), and what has not returned after the grace
    /// period is left behind.
    ///
    /// A source that waits for its next document is a stall too, unless it is a live one ([`max_wait`](Self::max_wait))
    /// and nothing else is to be done. A run that waits for its caller alone is told about and never ended.
    ///
    /// It costs a thread that sleeps, and one short lock for each group of documents; nothing for each document
    /// of it but a store.
    ///
    /// ```
    /// use gapless::{Cause, Error, Pipeline, Watchdog};
    /// use std::time::Duration;
    /// let cpu = |n: &mut u32| {
    ///     while *n == 17 { std::thread::park() } // it never returns
    ///     Ok::<_, Cause>(*n)
    /// };
    /// let gpu = |batch: &[u32]| Ok::<_, Cause>(batch.to_vec());
    /// let patience = Duration::from_millis(50);
    /// let run = Pipeline::new(cpu, gpu).workers(2).grace(Duration::ZERO).watchdog(patience, Watchdog::End);
    /// let mut run = run.on_stall(|stalled| println!("{stalled}")).run(0..1000);
    /// // nothing has moved for 50 ms: gapless-cpu-1 has been preparing document 17 for 50 ms; ...
    /// assert!(matches!(run.by_ref().last(), Some(Err(Error::Stalled { .. }))));
    /// assert!(run.accounts().balance());
    /// ```
    pub fn watchdog(mut self, patience: Duration, then: Watchdog) -> Self {
        self.settings.watchdog = Some(Patience { patience, then });
        self
    }

    /// Calls this for each stall, once, on a thread of its own, instead of writing it to stderr. Default none;
    /// nothing without [`watchdog`](Self::watchdog).
    pub fn on_stall(mut self, on_stall: impl FnMut(&Stalled) + Send + 'static) -> Self {
        self.on_stall = Some(Box::new(on_stall));
        self
    }
}
