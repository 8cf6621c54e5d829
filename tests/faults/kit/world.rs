//! The world of one run: a book in which every document stands from its making to its drop, and a count of
//! all other values that are alive.
//!
//! It never prints: what is wrong is noted, and told when the run is over.

use std::cell::Cell;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// A panic that prints nothing, since it is planted.
pub(crate) fn panic_quietly(what: &str) -> ! {
    resume_unwind(Box::new(format!("planted: {what}")))
}

/// What a panic says.
pub(crate) fn said(payload: &(dyn std::any::Any + Send)) -> &str {
    payload.downcast_ref::<String>().map_or("not planted", String::as_str)
}

thread_local! {
    /// Calls of user code that this thread is inside of.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// This thread is inside user code until it is dropped.
pub(crate) struct UserCode(());

impl UserCode {
    pub(crate) fn enter() -> Self {
        INSIDE.set(INSIDE.get() + 1);
        Self(())
    }
}

impl Drop for UserCode {
    fn drop(&mut self) {
        INSIDE.set(INSIDE.get() - 1);
    }
}

/// Who made a document, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Id {
    /// The source: the number is its place.
    Source(u64),
    /// A stage.
    Extra(u64),
}

/// What is known of one document.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Page {
    pub(crate) dropped: u32,
    /// User code moved it out of what the engine had lent.
    pub(crate) taken: bool,
}

#[derive(Default)]
struct Book {
    source: Vec<Page>,
    extras: Vec<Page>,
}

impl Book {
    fn page(&mut self, id: Id) -> &mut Page {
        match id {
            Id::Source(number) => &mut self.source[number as usize],
            Id::Extra(number) => &mut self.extras[number as usize],
        }
    }
}

/// What is done with documents that are gathered into a collection of the user's own.
pub(crate) type Gathered = Box<dyn Fn(&mut Vec<Doc>) + Send + Sync>;

#[derive(Default)]
pub(crate) struct World {
    book: Mutex<Book>,
    alive: AtomicI64,
    /// Whether nothing panics any more when it is dropped.
    disarmed: AtomicBool,
    /// Whether documents are in a collection of the user's own, which drops them as it likes.
    in_bags: bool,
    /// What is done whenever documents are gathered into such a collection.
    pub(crate) gathered: OnceLock<Gathered>,
    /// Whether copies that fill a batch up cannot be made.
    pub(crate) copies_panic: AtomicBool,
    wrongs: Mutex<Vec<String>>,
}

impl World {
    pub(crate) fn new(in_bags: bool) -> Arc<Self> {
        Arc::new(Self { in_bags, ..Self::default() })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next document of the source.
    pub(crate) fn document(self: &Arc<Self>, bomb: bool) -> Doc {
        let mut book = self.book();
        book.source.push(Page::default());
        Doc { id: Id::Source(book.source.len() as u64 - 1), bomb, world: self.clone() }
    }

    /// A document that a stage makes.
    pub(crate) fn extra(self: &Arc<Self>) -> Doc {
        let mut book = self.book();
        book.extras.push(Page::default());
        Doc { id: Id::Extra(book.extras.len() as u64 - 1), bomb: false, world: self.clone() }
    }

    /// Documents that the source gave.
    pub(crate) fn given(&self) -> u64 {
        self.book().source.len() as u64
    }

    pub(crate) fn extras(&self) -> u64 {
        self.book().extras.len() as u64
    }

    pub(crate) fn page(&self, id: Id) -> Page {
        *self.book().page(id)
    }

    pub(crate) fn life(self: &Arc<Self>, what: What, bomb: bool) -> Life {
        self.alive.fetch_add(1, Ordering::SeqCst);
        Life { what, bomb, world: self.clone() }
    }

    /// Values that are alive, documents among them.
    pub(crate) fn alive(&self) -> i64 {
        let book = self.book();
        let documents = book.source.iter().chain(&book.extras).filter(|page| page.dropped == 0).count();
        self.alive.load(Ordering::SeqCst) + documents as i64
    }

    /// From now on nothing panics when it is dropped: the test drops what it holds.
    pub(crate) fn disarm(&self) {
        self.disarmed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn wrong(&self, what: impl fmt::Display) {
        self.wrongs.lock().unwrap_or_else(PoisonError::into_inner).push(what.to_string());
    }

    /// The first thing that was wrong.
    pub(crate) fn first_wrong(&self) -> Option<String> {
        self.wrongs.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    /// Panics, where that was planted. Two values of which one is dropped while the other unwinds would end
    /// the process: the engine drops one by one what it holds.
    fn explode(&self, bomb: bool, what: &str, of_the_engine: bool) {
        if !bomb || self.disarmed.load(Ordering::SeqCst) {
            return;
        }
        if !std::thread::panicking() {
            panic_quietly(&format!("the drop of a {what}"));
        }
        if of_the_engine && INSIDE.get() == 0 {
            self.wrong(format_args!("a {what} was dropped while the drop of another unwound"));
        }
    }
}

/// One document.
pub(crate) struct Doc {
    pub(crate) id: Id,
    bomb: bool,
    world: Arc<World>,
}

impl Doc {
    /// Notes that user code has moved it out of what the engine had lent.
    pub(crate) fn taken(self) -> Self {
        self.world.book().page(self.id).taken = true;
        self
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }
}

impl Drop for Doc {
    fn drop(&mut self) {
        let mut book = self.world.book();
        let page = book.page(self.id);
        page.dropped += 1;
        let taken = page.taken;
        drop(book);
        self.world.explode(self.bomb, "document", !taken && !self.world.in_bags);
    }
}

/// What a value is that is counted while it is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Cpu,
    Device,
    Source,
    Prepared,
    Row,
    Output,
    Ticket,
    Error,
    Part,
}

/// Counts as alive until it is dropped; a bomb panics then.
pub(crate) struct Life {
    what: What,
    bomb: bool,
    world: Arc<World>,
}

impl Life {
    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }
}

impl Clone for Life {
    fn clone(&self) -> Self {
        self.world.life(self.what, self.bomb)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.world.alive.fetch_sub(1, Ordering::SeqCst);
        let of_the_engine = matches!(self.what, What::Prepared | What::Part | What::Ticket);
        let what = format!("{:?}", self.what);
        self.world.explode(self.bomb, &what, of_the_engine);
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

/// An error of a stage.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) cannot_be_shown: bool,
    pub(crate) _life: Life,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cannot_be_shown {
            panic_quietly("the Display of an error");
        }
        f.write_str("planted trouble")
    }
}

impl std::error::Error for Trouble {}
