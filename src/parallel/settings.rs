//! The settings of a `parallel`, each with an example: those of `map` are the same.

use super::Parallel;
use crate::pipeline::setters::setters;

impl<D, C, I, S> Parallel<D, C, I, S> {
    setters! {
        workers:
        ///
        /// ```
        /// use gapless::{Cause, parallel};
        /// let here = std::thread::current().id();
        /// let stage = |_: &mut u8| Ok::<_, Cause>(std::thread::current().id());
        /// assert_eq!(parallel(stage, [1]).workers(0).collect().unwrap(), [here]);
        /// assert_ne!(parallel(stage, [1]).workers(1).collect().unwrap(), [here]);
        /// ```
        ahead:
        ///
        /// [`ParallelRun::tokens`](super::ParallelRun::tokens) says how many there are in all.
        ///
        /// ```
        /// use gapless::{Cause, parallel};
        /// let run = parallel(|n: &mut u64| Ok::<_, Cause>(*n), 0..).workers(2).ahead(1).run();
        /// assert_eq!(run.tokens(), 3);
        /// ```
        order:
        /// With [`Order::Completion`](crate::Order::Completion) they come as they are ready, and [`run`](Self::run)
        /// says which item each belongs to.
        ///
        /// ```
        /// use gapless::{Cause, Order, parallel};
        /// let squares = parallel(|n: &mut usize| Ok::<_, Cause>(*n * *n), 0..100).order(Order::Completion);
        /// for square in squares.run() {
        ///     let square = square.unwrap();
        ///     let index = square.position.get() as usize;
        ///     assert_eq!(square.result, index * index);
        /// }
        /// ```
        on_failure:
        /// Default [`OnFailure::Stop`](crate::OnFailure::Stop): its failure comes out in its place, then an error
        /// that says where the run stopped. With [`OnFailure::Skip`](crate::OnFailure::Skip), the default of
        /// [`map`](super::map), the others go on.
        ///
        /// ```
        /// use gapless::{Cause, OnFailure, parallel};
        /// let parse = |text: &mut &str| Ok::<_, Cause>(text.parse::<u32>()?);
        /// let texts = ["1", "two", "3"];
        /// let all: Vec<_> = parallel(parse, texts).on_failure(OnFailure::Skip).into_iter().collect();
        /// assert_eq!(*all[2].as_ref().unwrap(), 3);
        /// let failure = all[1].as_ref().unwrap_err().to_string();
        /// assert_eq!(failure, "document 1 failed in the CPU stage: invalid digit found in string");
        /// ```
        grace:
        /// Default 5 s.
        ///
        /// ```
        /// use gapless::{Cause, parallel};
        /// use std::time::Duration;
        /// let hangs = |n: &mut u8| { while *n == 1 { std::thread::park() } Ok::<_, Cause>(*n) };
        /// let mut run = parallel(hangs, [0, 1]).workers(1).chunk(1).grace(Duration::ZERO).run();
        /// assert_eq!(run.next().unwrap().unwrap().result, 0);
        /// run.stop(); // it does not wait for the second, which never returns
        /// assert_eq!(run.accounts().delivered, 1);
        /// ```
        pause:
        ///
        /// ```
        /// use gapless::{Cause, parallel};
        /// use std::time::{Duration, Instant};
        /// let start = Instant::now();
        /// let ask = |n: &mut u64| Ok::<_, Cause>(*n);
        /// parallel(ask, 0..5).workers(4).pause(Duration::from_millis(2)).collect().unwrap();
        /// assert!(start.elapsed() >= Duration::from_millis(8), "four gaps");
        /// ```
        deadline:
        ///
        /// ```
        /// use gapless::parallel::Failed;
        /// use gapless::{Cause, Error, parallel};
        /// use std::time::Duration;
        /// let run = parallel(|n: &mut u64| Ok::<_, Cause>(*n), 0..).deadline(Duration::from_millis(5));
        /// assert!(matches!(run.collect(), Err(Failed::Run(Error::Deadline { .. }))));
        /// ```
        item_timeout:
        ///
        /// ```
        /// use gapless::{Cause, OnFailure, parallel};
        /// use std::time::{Duration, Instant};
        /// let limit = Duration::from_millis(2);
        /// let work = move |slow: &mut bool| {
        ///     let start = Instant::now();
        ///     while *slow && start.elapsed() <= limit {}
        ///     Ok::<_, Cause>(())
        /// };
        /// let run = parallel(work, [false, true]).workers(1).item_timeout(limit).on_failure(OnFailure::Skip);
        /// let results: Vec<_> = run.into_iter().collect();
        /// assert!(results[1].as_ref().unwrap_err().to_string().contains("more than the 2ms that an item may take"));
        /// ```
        on_late:
        ///
        /// ```
        /// use gapless::{Cause, parallel};
        /// use std::sync::mpsc;
        /// use std::time::Duration;
        /// let (told, heard) = mpsc::channel();
        /// let (go, gate) = crossbeam_channel::bounded::<()>(1);
        /// let waits = move |_: &mut u8| Ok::<_, Cause>(gate.recv()?);
        /// let run = parallel(waits, [7]).item_timeout(Duration::from_millis(1)).on_late(move |late| {
        ///     told.send(late.position.get()).unwrap();
        ///     go.send(()).unwrap();
        /// });
        /// assert!(run.collect().is_err());
        /// assert_eq!(Vec::from_iter(heard), [0]);
        /// ```
        trace:
        ///
        /// ```
        /// use gapless::{Cause, parallel};
        /// let mut run = parallel(|n: &mut u64| Ok::<_, Cause>(*n), 0..100).workers(2).trace(true).run();
        /// assert_eq!(run.by_ref().count(), 100);
        /// assert!(run.timeline_svg().unwrap().starts_with("<svg"));
        /// ```
        watchdog:
        ///
        /// A source that waits for its next item is a stall too: give a source that may wait long a longer
        /// patience.
        ///
        /// ```
        /// use gapless::parallel::Failed;
        /// use gapless::{Cause, Error, Watchdog, parallel};
        /// use std::time::Duration;
        /// let work = |hangs: &mut bool| {
        ///     while *hangs { std::thread::park() } // it never returns
        ///     Ok::<_, Cause>(())
        /// };
        /// let run = parallel(work, [false, true, false]).workers(1).grace(Duration::ZERO);
        /// let run = run.watchdog(Duration::from_millis(50), Watchdog::End);
        /// let ended = run.on_stall(|stalled| println!("{stalled}")).collect();
        /// assert!(matches!(ended, Err(Failed::Run(Error::Stalled { .. }))));
        /// ```
        on_stall:
        ///
        /// ```
        /// use gapless::{Cause, Watchdog, parallel};
        /// use std::time::Duration;
        /// let (told, heard) = crossbeam_channel::bounded(1);
        /// let waits = move |_: &mut u8| Ok::<_, Cause>(heard.recv()?);
        /// let run = parallel(waits, [7]).watchdog(Duration::from_millis(5), Watchdog::Tell);
        /// let stalls = run.on_stall(move |stalled| drop(told.send(stalled.to_string()))).collect().unwrap();
        /// assert!(stalls[0].contains("preparing document 0"), "{stalls:?}");
        /// ```
        total:
        ///
        /// ```
        /// use gapless::{Cause, parallel};
        /// let some = (0..100_u64).filter(|n| n % 7 == 0);
        /// let mut run = parallel(|n: &mut u64| Ok::<_, Cause>(*n), some).total(15).run();
        /// run.next();
        /// assert_eq!(run.progress().total, Some(15));
        /// ```
        progress:
        /// It is told of each item, also with `workers(0)`.
        ///
        /// ```
        /// use gapless::{Cause, parallel};
        /// use std::sync::mpsc;
        /// let (told, heard) = mpsc::channel();
        /// let stage = |n: &mut u64| Ok::<_, Cause>(*n);
        /// let run = parallel(stage, 0..3).progress(move |progress| {
        ///     told.send((progress.delivered, progress.total)).unwrap();
        /// });
        /// run.collect().unwrap();
        /// assert_eq!(Vec::from_iter(heard), [(1, Some(3)), (2, Some(3)), (3, Some(3))]);
        /// ```
        progress_bar:
        ///
        /// ```
        /// use gapless::{Cause, parallel};
        /// let squares = parallel(|n: &mut u64| Ok::<_, Cause>(*n * *n), 0..100).progress_bar().collect();
        /// assert_eq!(squares.unwrap()[9], 81);
        /// ```
    }
}
