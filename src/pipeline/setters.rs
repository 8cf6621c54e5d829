//! The settings that every run has, as methods: written once, and given to each face.
//!
//! A face is a type with a field `how`. It has all of them, but for those of which it says why not, and adds what
//! is its own to their documentation: another default, an example. Examples stand at
//! [`Parallel`](crate::parallel::Parallel) as a rule.

/// Methods of a face that set what every run can be told. What it adds to the documentation of one stands behind
/// its name; names come in the order in which they are here.
macro_rules! setters {
    (
        $(no ahead: $no_ahead:literal)?
        $(no order: $no_order:literal)?
        $(no grace: $no_grace:literal)?
        $(workers: $(#[$workers:meta])+)?
        $(stack_size: $(#[$stack_size:meta])+)?
        $(pool: $(#[$pool:meta])+)?
        $(ahead: $(#[$ahead:meta])+)?
        $(order: $(#[$order:meta])+)?
        $(on_failure: $(#[$on_failure:meta])+)?
        $(grace: $(#[$grace:meta])+)?
        $(pause: $(#[$pause:meta])+)?
        $(deadline: $(#[$deadline:meta])+)?
        $(item_timeout: $(#[$item_timeout:meta])+)?
        $(on_late: $(#[$on_late:meta])+)?
        $(trace: $(#[$trace:meta])+)?
        $(watchdog: $(#[$watchdog:meta])+)?
        $(on_stall: $(#[$on_stall:meta])+)?
        $(total: $(#[$total:meta])+)?
        $(progress: $(#[$progress:meta])+)?
        $(progress_bar: $(#[$progress_bar:meta])+)?
    ) => {
        /// Threads that work: a number, or [`Auto`](crate::Auto). Default `Auto`: one a core that this process
        /// may use. With 0 everything runs inline in the caller, serially and deterministically, which is good
        /// for debugging.
        $($(#[$workers])+)?
        pub fn workers(mut self, workers: impl Into<$crate::WorkerCount>) -> Self {
            self.how.common().workers = workers.into();
            self
        }
        /// Bytes of stack of each thread of the run: workers, device threads, the feeder. Default 8 MiB, which is what a
        /// program's first thread has as a rule, so that recursion that works in the caller works in a worker. With 0
        /// it is what the standard library takes: 2 MiB, or what `RUST_MIN_STACK` says. Memory is taken as it is used.
        ///
        /// A stack that is too small ends the program: no run can tell. Threads of a [`pool`](Self::pool) have what
        /// their pool was made with.
        $($(#[$stack_size])+)?
        pub fn stack_size(mut self, bytes: usize) -> Self {
            self.how.common().stack = bytes;
            self
        }
        /// Uses the threads of this pool as workers; it is never closed by us. Default: threads of the run's
        /// own. A pool of one thread is enough, and the caller may itself run in it. To set `workers` too is an
        /// error: the pool has its own.
        $($(#[$pool])+)?
        pub fn pool(mut self, pool: &std::sync::Arc<rayon::ThreadPool>) -> Self {
            self.how.common().pool = Some(pool.clone());
            self
        }
        $crate::pipeline::setters::unless! { $($no_ahead)? {
            /// Documents that may be in flight beyond one a worker: begun, or finished and not yet taken. Default:
            /// 64 and at least four a worker, and about 512 in all where neither document nor result owns memory.
            /// Where a document of the run is a whole batch, 2. With 0 one is pulled when a worker is free for it.
            ///
            /// It bounds memory, and few of them make tiny documents dearer, since those are then not taken in
            /// groups.
            $($(#[$ahead])+)?
            pub fn ahead(mut self, documents: usize) -> Self {
                self.how.common().ahead = Some(documents);
                self
            }
        }}
        $crate::pipeline::setters::unless! { $($no_order)? {
            /// In which order results come out. Default [`Order::Source`](crate::Order::Source).
            $($(#[$order])+)?
            pub fn order(mut self, order: $crate::Order) -> Self {
                self.how.common().order = order;
                self
            }
        }}
        /// What happens when a document fails.
        $($(#[$on_failure])+)?
        pub fn on_failure(mut self, on_failure: $crate::OnFailure) -> Self {
            self.how.common().on_failure = on_failure;
            self
        }
        $crate::pipeline::setters::unless! { $($no_grace)? {
            /// How long the end of a run waits for a call of user code that has not returned. With 0 it does not
            /// wait. What is left behind is named in the report.
            $($(#[$grace])+)?
            pub fn grace(mut self, grace: std::time::Duration) -> Self {
                self.how.common().grace = grace;
                self
            }
        }}
        /// Least time between the starts of two documents: a rate limit, for a server that wants one. Default
        /// none, which is what 0 is.
        ///
        /// A document starts when this has passed since the one before and a worker is free; nothing is held
        /// meanwhile, and a stop ends the wait.
        $($(#[$pause])+)?
        pub fn pause(mut self, least: std::time::Duration) -> Self {
            self.how.common().pause = Some(least);
            self
        }
        /// Time that the whole run has, from its start. Default none; with 0 nothing comes out. Once it has
        /// passed, the next result that is asked for is [`Error::Deadline`](crate::Error::Deadline), the last;
        /// what came out before is valid.
        ///
        /// Calls that have not returned are waited for no longer than [`grace`](Self::grace).
        $($(#[$deadline])+)?
        pub fn deadline(mut self, after: std::time::Duration) -> Self {
            self.how.common().deadline = Some(after);
            self
        }
        /// Time that one document may take in the CPU stage. Default none; with 0 every one takes too long. A
        /// document that takes longer fails when it returns, and is given back as any other that fails; a
        /// thread cannot be killed, so one that does not return is only told about, see
        /// [`on_late`](Self::on_late). Where that is not enough there is `parallel::process`, whose children
        /// can be killed.
        $($(#[$item_timeout])+)?
        pub fn item_timeout(mut self, after: std::time::Duration) -> Self {
            self.how.common().item_timeout = Some(after);
            self
        }
        /// Calls this on the caller's thread for a document that has not returned after
        /// [`item_timeout`](Self::item_timeout), once a document, while the caller waits for a result. Default
        /// none.
        $($(#[$on_late])+)?
        pub fn on_late(mut self, on_late: impl FnMut(&$crate::pipeline::how::Late) + Send + 'static) -> Self {
            self.how.hooks.on_late = Some($crate::pipeline::how::Hook::new(on_late));
            self
        }
        /// Whether the run is recorded, so that who did what when can be written and drawn: see
        /// [`Timeline`](crate::Timeline). Default off: then nothing is recorded and it costs nothing.
        ///
        /// `true` makes room for 262,144 spans, a number for so many; one takes 32 bytes, so that is 8 MiB,
        /// taken before the run starts. A group of documents, each thing done with a batch, and each wait is
        /// one span. What has no room is counted and left out. 0 is off.
        $($(#[$trace])+)?
        pub fn trace(mut self, recording: impl Into<$crate::Recording>) -> Self {
            self.how.common().recording = recording.into();
            self
        }
        /// Looks whether anything moves in the run, and says who waits for whom where nothing has for this long:
        /// which document, which stage, which thread, which token. Default none; 0 is an error.
        ///
        /// Everything counts as moving that begins or returns: a call of the source, of a stage, of `then`, of
        /// the caller. So patience is to be longer than the longest of them. With
        /// [`Watchdog::Tell`](crate::Watchdog::Tell) each stall is told once, to the function given to
        /// [`on_stall`](Self::on_stall), else on stderr; with [`Watchdog::End`](crate::Watchdog::End) the run
        /// ends as well, with [`Error::Stalled`](crate::Error::Stalled), and what has not returned after the
        /// grace period is left behind. A run that waits for its caller alone is told about and never ended.
        ///
        /// It costs a thread that sleeps, and one short lock for each group of documents; nothing for each
        /// document of it but a store.
        $($(#[$watchdog])+)?
        pub fn watchdog(mut self, patience: std::time::Duration, then: $crate::Watchdog) -> Self {
            self.how.common().watchdog = Some($crate::pipeline::how::Patience { patience, then });
            self
        }
        /// Calls this for each stall, once, on a thread of its own, instead of writing it to stderr. Default
        /// none; nothing without [`watchdog`](Self::watchdog).
        $($(#[$on_stall])+)?
        pub fn on_stall(mut self, on_stall: impl FnMut(&$crate::Stalled) + Send + 'static) -> Self {
            self.how.hooks.on_stall = Some($crate::pipeline::how::Hook::new(on_stall));
            self
        }
        /// Documents that there are in all, for whoever shows [`progress`](Self::progress); with 0 there are
        /// none. Default: what the source says of itself, where its `size_hint` is exact.
        $($(#[$total])+)?
        pub fn total(mut self, documents: u64) -> Self {
            self.how.common().total = Some(documents);
            self
        }
        /// Calls this on the caller's thread with everything that comes out. Default none.
        $($(#[$progress])+)?
        pub fn progress(mut self, on_progress: impl FnMut(&$crate::Progress) + Send + 'static) -> Self {
            self.how.hooks.on_progress = Some($crate::pipeline::how::Hook::new(on_progress));
            self
        }
        /// Shows on a terminal's stderr how far the run has come, with the feature `progress` (on by default):
        /// documents done of all, documents a second, the time left, how busy CPU and devices were, how much
        /// stands in the line, failures. Default off. It is silent where stderr is no terminal.
        ///
        /// It is drawn by the caller, at most ten times a second, also while that waits, and for the last time
        /// when the run ends. It says what the `Display` of [`Progress`](crate::Progress) writes. Lines that
        /// are printed meanwhile stand beside it; stdout that goes to a file is not touched.
        $($(#[$progress_bar])+)?
        #[cfg(feature = "progress")]
        pub fn progress_bar(mut self) -> Self {
            self.how.common().bar = true;
            self
        }
    };
}

/// Those of a face that works on documents that are lent, which come back to their places.
macro_rules! lent_setters {
    ($(no ahead: $no_ahead:literal)? $(no grace: $no_grace:literal)? on_failure: $(#[$on_failure:meta])+) => {
        $crate::pipeline::setters::setters! {
            $(no ahead: $no_ahead)?
            no order: "the documents keep theirs"
            $(no grace: $no_grace)?
            on_failure: $(#[$on_failure])+
            grace: /// Default: as long as it takes, since a document inside such a call cannot be put back.
            trace: /// It stands in [`Applied::run`].
            progress: /// It is told of each document, when that is kept: should it panic, all documents are back.
        }
    };
}

/// A method, unless there is a reason why a face has it not.
macro_rules! unless {
    ($why:literal { $($method:tt)* }) => {};
    ({ $($method:tt)* }) => { $($method)* };
}

pub(crate) use {lent_setters, setters, unless};
