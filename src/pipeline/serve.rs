//! Requests and answers: documents come one by one from any thread, and each result goes back to whoever asked.
//!
//! A request is the document of a run. It answers when it is delivered, when it fails, and when it is dropped, so
//! whatever becomes of a run, whoever waits is told, and has the document back.
//!
//! Uses: `run`. Used by: `pipeline`.

mod answer;
mod asked;
mod inbox;
mod request;
mod server;

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::bounded;

pub use self::answer::{Answer, Unanswered, Why};
use self::answer::{Open, Request};
pub use self::asked::Asked;
use self::inbox::Inbox;
use self::request::{ForRequest, Requests};
pub use self::server::{Server, Submitter};
use super::{Batch, Pipeline, Run};
use crate::engine::road::job::After;
use crate::engine::road::source::AnySource;
use crate::engine::seam::spawn_aside;
use crate::engine::settings::{OnFailure, Order, WorkerCount};
use crate::engine::start::Free;
use crate::error::{Error, Failure};
use crate::observe::report::Report;
use crate::stage::{CpuStage, GpuStage};

/// How long a lone request waits for others where nothing was said of that.
const MAX_WAIT: Duration = Duration::from_millis(1);

impl<D, C, G, A> Pipeline<D, C, G, A> {
    /// Serves requests instead of running over a source: documents are submitted from any thread, batched with
    /// whatever others there are, and each row goes back to whoever submitted its document. So a batch has to carry
    /// a `Vec`: that of the GPU half, or that of [`then`](Self::then).
    ///
    /// A request that fails is an answer, and ends nothing. Where no [`max_wait`](Self::max_wait) is set, a request
    /// waits 1 ms for others. It goes on until every [`Submitter`] is dropped, or it is stopped.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |text: &mut String| Ok::<_, Cause>(text.parse::<f32>()?);
    /// let gpu = |batch: &[f32]| Ok::<_, Cause>(batch.iter().map(|x| x * x).collect::<Vec<f32>>());
    /// let (submitter, server) = Pipeline::new(cpu, gpu).batch_size(16).serve()?;
    ///
    /// let other = submitter.clone();
    /// let thread = std::thread::spawn(move || other.submit("3".into()).unwrap().wait());
    /// let answer = submitter.submit("2".into()).unwrap(); // or .await it
    /// assert_eq!(answer.wait().unwrap(), ("2".to_string(), 4.0));
    /// assert_eq!(thread.join().unwrap().unwrap().1, 9.0);
    ///
    /// let refused = submitter.submit("two".into()).unwrap().wait().unwrap_err();
    /// assert_eq!(refused.document.as_deref(), Some("two"));
    /// drop(submitter);
    /// println!("{}", server.join());
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// A setting that cannot work, or a stage that cannot be opened; then no thread was started.
    pub fn serve<U>(mut self) -> Result<(Submitter<D, U>, Server), Error>
    where
        D: Send + 'static,
        C: CpuStage<D> + 'static,
        G: GpuStage<C::Prepared> + 'static,
        A: After<D, G::Output, Delivered = Vec<U>> + 'static,
        U: Send + 'static,
    {
        if self.how.settings.common.workers == WorkerCount::Exactly(0) {
            let reason = "with 0 workers the server would wait for the next request before it answers one";
            return Err(Error::Setting { name: "workers", reason: reason.into() });
        }
        self.how.settings.max_wait.get_or_insert(MAX_WAIT);
        self.how.settings.common.on_failure = OnFailure::Skip;
        // Answers go to whoever asked: none waits for an older one.
        self.how.settings.common.order = Order::Completion;
        let room = self.how.settings.batch_size;
        let stack = self.how.settings.common.stack;
        let Self { cpu, devices, after, how, last_batch, .. } = self;
        let pipeline: Pipeline<Request<D, U>, ForRequest<C>, G, ForRequest<A>> = Pipeline {
            cpu: ForRequest(cpu),
            devices,
            after: ForRequest(after),
            how,
            last_batch,
            kind: std::marker::PhantomData,
        };
        let inbox = Arc::new(Inbox::new(room));
        let source = Requests(inbox.clone());
        let source = |_| (Box::new(source) as AnySource<'static, Request<D, U>>, None);
        let run = pipeline.try_start(Free, None, source, false)?;
        let open = Arc::new(Open::default());
        let (handle, answered) = (run.handle(), open.clone());
        let (tell, report) = bounded(1);
        let serve = move || {
            let _nobody_waits = tell.send(answer_all(run, &answered));
        };
        spawn_aside("gapless-serve", stack, Box::new(serve))
            .map_err(|error| Error::Thread { cause: error.into() })?;
        Ok((Submitter { inbox, open }, Server { handle, report }))
    }
}

/// Answers every request of a run.
fn answer_all<D: Send, U: Send>(mut run: Run<Request<D, U>, Vec<U>>, open: &Open<D, U>) -> Report {
    let mut error = None;
    for batch in run.by_ref() {
        match batch {
            Ok(batch) => answer_each(batch),
            Err(last) => error = Some(last),
        }
    }
    let why = || error.clone().map_or(Why::Ended, Why::Error);
    for (_, request) in run.take_back() {
        request.answer(|document| Err(Unanswered { document, why: why() }));
    }
    let report = run.report();
    drop(run);
    // Those whose documents are inside code that never returned.
    open.end(|| Err(Unanswered { document: None, why: why() }));
    report
}

fn answer_each<D, U>(batch: Batch<Request<D, U>, Vec<U>>) {
    let (requests, rows, failures) = batch.into_parts();
    for (request, row) in requests.into_iter().zip(rows.into_iter().flatten()) {
        request.answer(|document| match document {
            Some(document) => Ok((document, row)),
            None => Err(Unanswered { document, why: Why::Ended }),
        });
    }
    for Failure { document: request, cause, .. } in failures {
        request.answer(|document| Err(Unanswered { document, why: Why::Failed(cause) }));
    }
}
