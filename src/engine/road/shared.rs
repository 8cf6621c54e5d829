//! What the steps of one run share: its stages, its queue and its line, and the documents that do not come out.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::batch::{Columns, Delivery, Done, Left, Message};
use super::idle_devices::IdleDevices;
use super::job::Job;
use super::later::Later;
use super::line::{Aftermath, Line, Wake};
use super::queue::Queue;
use super::source::EndSource;
use super::then::ThenBatch;
use crate::engine::auto::{Chooser, CutAt};
use crate::engine::guard::{Held, guard};
use crate::engine::ledger::Ledger;
use crate::engine::seam::atomics::AtomicBool;
use crate::engine::seam::{Condvar, Mutex, Receiver, Sender, Workers};
use crate::engine::watch::{LateItems, Lookout};
use crate::error::{Cause, Error};
use crate::observe::decision::Decision;
use crate::observe::record::{Kind, Span};
use crate::place::in_order;
use crate::stage::CpuStage as _;

pub(crate) struct Road<J: Job> {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) cpu: Held<J::Cpu>,
    pub(crate) after: Held<J::After>,
    pub(crate) queue: Queue<J>,
    pub(crate) later: Later<J>,
    pub(crate) idle_devices: IdleDevices<J>,
    pub(crate) line: Mutex<LineOf<J>>,
    pub(crate) batch_there: Condvar,
    /// Batches whose rows are in `then` now.
    pub(crate) in_then: Mutex<Vec<Arc<ThenBatch<J>>>>,
    /// Documents that do not come out, to be taken back.
    pub(crate) left: Mutex<Vec<Left<J::Document>>>,
    pub(crate) results: Sender<MessageOf<J>>,
    /// The other end of it, for what comes when the caller reads no more.
    pub(crate) unread: Receiver<MessageOf<J>>,
    pub(crate) caller_is_gone: AtomicBool,
    /// `None` where the caller runs the units.
    pub(crate) workers: Option<Workers>,
    /// Has the source give nothing more, also where it waits.
    pub(crate) end_source: Option<EndSource>,
    /// Has a worker use a ticket.
    pub(crate) call: fn(&Arc<Self>),
    /// Whether a worker runs unit after unit, or gives the pool of others a turn after each.
    pub(crate) own_pool: bool,
    /// Whether the feeder waits for a free worker.
    pub(crate) paced: bool,
    pub(crate) late: Option<Arc<LateItems>>,
    pub(crate) lookout: Option<Arc<Lookout>>,
    pub(crate) chooser: Option<Chooser>,
}

pub(crate) type LineOf<J> = Line<<J as Job>::Document, <J as Job>::Prepared>;
pub(crate) type DoneOf<J> = Done<<J as Job>::Document, <J as Job>::Delivered>;
pub(crate) type MessageOf<J> = Message<<J as Job>::Document, <J as Job>::Delivered>;
type AftermathOf<J> = Aftermath<<J as Job>::Document, <J as Job>::Prepared>;

impl<J: Job> Road<J> {
    /// Does this with the line, and then, without its lock, what that left to be done.
    pub(crate) fn with_line<R>(&self, change: impl FnOnce(&mut LineOf<J>) -> (R, AftermathOf<J>)) -> R {
        let mut line = self.line.lock();
        let (result, after) = change(&mut line);
        drop(line);
        self.settle(after);
        result
    }

    /// As `with_line`, and where `again` says so waits for news of the line, for at most so long if that is said.
    pub(crate) fn wait_with_line<R>(
        &self,
        change: impl FnOnce(&mut LineOf<J>) -> (R, AftermathOf<J>),
        wait: impl FnOnce(&R) -> Option<Option<std::time::Duration>>,
    ) -> R {
        let mut line = self.line.lock();
        let (result, after) = change(&mut line);
        match wait(&result) {
            Some(Some(time)) => drop(self.batch_there.wait_timeout(line, &self.line, time)),
            Some(None) => drop(self.batch_there.wait(line, &self.line)),
            None => drop(line),
        }
        self.settle(after);
        result
    }

    fn settle(&self, after: AftermathOf<J>) {
        let Aftermath { cancelled, cut, wake, ceased, ended, early_is_over } = after;
        match wake {
            Wake::Nobody => {}
            Wake::Devices(devices) => (0..devices).for_each(|_| self.batch_there.notify_one()),
            Wake::All => self.batch_there.notify_all(),
        }
        if let Some(chooser) = self.chooser.as_ref().filter(|_| early_is_over) {
            chooser.feed_idle_no_more();
        }
        if let Some(batch) = cut {
            self.without_device(batch);
        }
        if let Some(items) = ended {
            // A caller that runs the device waits until its batches are given out.
            self.tell(Message::Opened);
            self.tell(Message::End { items });
        }
        cancelled.into_iter().for_each(|items| self.cancel_columns(items));
        if ceased {
            self.cease();
        }
    }

    /// Where there is no device a batch is done when it is cut.
    fn without_device(&self, mut batch: super::batch::Batch<J::Document, J::Prepared>) {
        let prepared = std::mem::take(&mut batch.items.prepared);
        let output = if batch.items.good() == 0 { None } else { J::without_device(prepared) };
        self.send(batch.done(output));
    }

    /// Puts a result before the caller.
    pub(crate) fn send(&self, done: DoneOf<J>) {
        self.tell(Message::Done(done));
    }

    pub(crate) fn tell(&self, message: MessageOf<J>) {
        self.ledger.last_result.set(self.ledger.now());
        let done = matches!(message, Message::Done(_));
        // There is a receiver as long as this is, so no message is refused.
        let _sent = self.results.send(message);
        self.ledger.seam.meet();
        #[cfg(test)]
        if self.ledger.seam.has(crate::engine::seam::Planted::LateResultIsKept) {
            return self.ledger.threads.alarm().ring();
        }
        // Asked for after the message was sent, and said before what is there is read: one of both reads it. It is
        // a thread of the run that reads, which is waited for before the accounts are closed.
        if done && self.caller_is_gone.load(Ordering::SeqCst) {
            self.cancel_unread();
        }
        self.ledger.threads.alarm().ring();
    }

    /// Nobody takes results any more: what is there, and what comes after this, is cancelled.
    pub(crate) fn caller_goes(&self) {
        self.caller_is_gone.store(true, Ordering::SeqCst);
        self.cancel_unread();
    }

    fn cancel_unread(&self) {
        while let Ok(Some(message)) = self.unread.try_recv() {
            if let Message::Done(done) = message {
                self.cancel_done(done);
            }
        }
    }

    /// A thread of ours has ended by a panic that is none of the user's.
    pub(crate) fn bug(&self, cause: Cause) {
        self.tell(Message::Ends(Error::Bug { cause }));
    }

    /// What was chosen from what was measured.
    pub(crate) fn decisions(&self) -> Vec<Decision> {
        self.chooser.as_ref().map(Chooser::decisions).unwrap_or_default()
    }

    /// Cuts at another size, where that was decided.
    pub(crate) fn cut_at(&self, cut: &CutAt) {
        if self.with_line(|line| line.cut_at(cut)) {
            self.ledger.tokens.allow(cut.tokens);
        }
    }

    pub(crate) fn count_line(&self, standing: usize) {
        self.ledger.record(|| Span::counter(Kind::LineFill, self.ledger.now(), standing));
    }

    /// Takes no more documents in; what was cut still comes out.
    fn cease(&self) {
        self.ledger.tokens.stop();
        self.queue.close();
        self.cancel(self.queue.left_behind(&self.ledger));
        self.cancel(self.later.close());
    }

    /// Ends everything: nothing new starts, and what stands anywhere is cancelled.
    pub(crate) fn stop(&self) {
        self.ledger.stop();
        self.cease();
        self.end_source();
        self.interrupt();
        for unit in self.queue.close_rows(&self.ledger) {
            self.cancel(unit.into_left());
        }
        let placed: Vec<_> = self.in_then.lock().drain(..).collect();
        for rows in placed {
            self.cancel(rows.cancel());
        }
        self.with_line(|line| ((), line.close()));
        self.idle_devices.close();
        if let Some(workers) = &self.workers {
            workers.close();
        }
        if let Some(lookout) = &self.lookout {
            lookout.close();
        }
    }

    /// A source that waits for something of ours stops waiting.
    fn end_source(&self) {
        if let Some(end_source) = &self.end_source {
            end_source();
        }
    }

    /// A call that waits for something of its own may end it. A panic there changes nothing here.
    pub(crate) fn interrupt(&self) {
        if self.queue.running() > 0 {
            let _told = guard(|| self.cpu.interrupt());
        }
    }

    pub(crate) fn cancel_columns(&self, items: Columns<J::Document, J::Prepared>) {
        if items.len() > 0 || !items.prepared.is_empty() {
            self.cancel(items.into_left());
        }
    }

    /// Cancels the documents of a result that nobody will take.
    pub(crate) fn cancel_done(&self, done: DoneOf<J>) {
        if let Ok(Delivery { positions, documents, output, failures, .. }) = done.delivery {
            output.into_iter().for_each(J::discard);
            self.cancel_columns(Columns { positions, documents, prepared: Vec::new(), failures });
        }
    }

    /// Keeps documents that will not come out, to be taken back.
    pub(crate) fn cancel(&self, left: Vec<Left<J::Document>>) {
        if left.is_empty() {
            return;
        }
        let books = &self.ledger.books;
        let documents = books.weights.of_all(left.iter().map(|left| left.position));
        let mut kept = self.left.lock();
        kept.extend(left);
        books.cancel(documents);
    }

    /// Empty until the accounts are closed: only then is it known what does not come out.
    pub(crate) fn take_left(&self) -> Vec<Left<J::Document>> {
        if !self.ledger.books.closed() {
            return Vec::new();
        }
        let left = std::mem::take(&mut *self.left.lock());
        in_order(left, |left| left.position.whole())
    }
}

impl<J: Job> Drop for Road<J> {
    fn drop(&mut self) {
        // What a run held that could not be started, and documents that nobody has taken back.
        let after = self.line.lock().close();
        let standing = after.cancelled.into_iter().flat_map(Columns::into_left);
        let left = std::mem::take(&mut *self.left.lock());
        for left in standing.chain(self.queue.left_behind(&self.ledger)).chain(left) {
            J::discard_document(left.document);
        }
    }
}
