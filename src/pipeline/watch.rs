//! How a pipeline is run and watched: the settings that every run has.

use super::Pipeline;

impl<D, C, G, A, M> Pipeline<D, C, G, A, M> {
    super::setters::setters! {
        no ahead: "its own counts batches"
        workers:
        ///
        /// `Auto` is one a core also where the device runs on these cores.
        on_failure:
        /// Default [`OnFailure::Stop`](crate::OnFailure::Stop), so that nothing is lost unseen.
        grace: /// Default 5 s.
        pause:
        ///
        /// With [`per_batch`](Pipeline::per_batch) it lies between the starts of two batches.
        ///
        /// ```
        /// use gapless::{Cause, Pipeline};
        /// use std::time::{Duration, Instant};
        /// let start = Instant::now();
        /// let cpu = |n: &mut u32| Ok::<_, Cause>(*n);
        /// let gpu = |batch: &[u32]| Ok::<_, Cause>(batch.to_vec());
        /// let run = Pipeline::new(cpu, gpu).workers(2).pause(Duration::from_millis(2)).run(0..5);
        /// assert_eq!(run.map(|batch| batch.unwrap().len()).sum::<usize>(), 5);
        /// assert!(start.elapsed() >= Duration::from_millis(8), "four gaps");
        /// ```
        item_timeout:
        ///
        /// With [`per_batch`](Pipeline::per_batch) it is the time of a whole batch. Neither the device nor `then` is
        /// looked at.
        trace:
        ///
        /// [`Run::trace`](crate::Run::trace) writes the recording, [`Run::timeline_svg`](crate::Run::timeline_svg)
        /// draws it.
        watchdog:
        ///
        /// A source that waits for its next document is a stall too, unless it is a live one
        /// ([`max_wait`](Self::max_wait)) and nothing else is to be done.
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
        progress:
        /// It is told of each batch.
        ///
        /// ```
        /// use gapless::{Cause, Pipeline};
        /// let cpu = |n: &mut u32| Ok::<_, Cause>(*n);
        /// let gpu = |batch: &[u32]| Ok::<_, Cause>(batch.to_vec());
        /// let show = |progress: &gapless::Progress| println!("{progress}");
        /// assert_eq!(Pipeline::new(cpu, gpu).progress(show).run(0..64).count(), 4);
        /// ```
        progress_bar:
        ///
        /// ```
        /// use gapless::{Cause, Pipeline};
        /// let cpu = |n: &mut u32| Ok::<_, Cause>(*n);
        /// let gpu = |batch: &[u32]| Ok::<_, Cause>(batch.to_vec());
        /// // [======>     ] 512/1024  51.2/s  ETA 0:00:10  CPU 98 %  GPU 43 %  line 12/64
        /// assert_eq!(Pipeline::new(cpu, gpu).progress_bar().run(0..1024).count(), 64);
        /// ```
    }
}
