//! Requests and answers: each answer goes to whoever asked, and nobody waits for ever.

use std::future::Future as _;
use std::pin::pin;
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gapless::pipeline::Why;
use gapless::{Cause, Error, Pipeline};

use crate::support::{planted_panic, watch};

/// A document that tells when it is gone.
struct Document(u64, #[expect(dead_code, reason = "it is counted")] Arc<()>);

fn number(document: &mut Document) -> Result<u64, Cause> {
    match document.0 {
        13 => Err(Cause::msg("thirteen")),
        17 => planted_panic(),
        number => Ok(number),
    }
}

fn double(batch: &[u64]) -> Result<Vec<u64>, Cause> {
    Ok(batch.iter().map(|number| number * 2).collect())
}

#[test]
fn every_submitter_gets_the_row_of_its_own_document_and_a_failure_is_an_answer() {
    let _watch = watch();
    let (submitter, server) = Pipeline::new(number, double).batch_size(8).workers(2).serve().unwrap();
    let life = Arc::new(());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (submitter, life) = (submitter.clone(), life.clone());
            std::thread::spawn(move || {
                let ask = |number| submitter.submit(Document(number, life.clone())).unwrap();
                let answers: Vec<_> =
                    (0..50).map(|index| (4 * index + thread, ask(4 * index + thread))).collect();
                for (number, answer) in answers {
                    match answer.wait() {
                        Ok((document, row)) => assert_eq!((document.0, row), (number, 2 * number)),
                        Err(refused) => {
                            assert!(matches!(refused.why, Why::Failed(_)), "{number}: {refused}");
                            assert_eq!(refused.document.unwrap().0, number);
                            assert!(number == 13 || number == 17);
                        }
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    drop(submitter);
    let report = server.join();
    assert_eq!((report.accounts.delivered, report.accounts.failed), (198, 2));
    assert_eq!(Arc::strong_count(&life), 1, "every document was given back");
}

#[test]
fn a_stopped_server_answers_what_waits_with_its_documents_and_takes_nothing_more() {
    let _watch = watch();
    let (entered, inside) = sync_channel(1);
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let cpu = move |number: &mut u64| {
        let _full = entered.try_send(());
        let _released = released.lock().unwrap().recv();
        Ok::<_, Cause>(*number)
    };
    let (submitter, server) = Pipeline::new(cpu, double).batch_size(4).workers(1).serve().unwrap();
    let answers: Vec<_> = (0..4).map(|number| submitter.submit(number).unwrap()).collect();
    inside.recv().unwrap();
    let handle = server.handle();
    let stopped = std::thread::spawn(move || server.stop());
    while handle.report().accounts.in_flight() > 0 && !stopped.is_finished() {
        std::thread::yield_now();
        if release.send(()).is_err() {
            break;
        }
    }
    drop(release);
    let report = stopped.join().unwrap();
    for (number, answer) in answers.into_iter().enumerate() {
        match answer.wait() {
            Ok((document, row)) => assert_eq!((document, row), (number as u64, 2 * document)),
            Err(refused) => assert_eq!(refused.document, Some(number as u64), "{refused}"),
        }
    }
    assert!(report.accounts.balance());
    let refused = submitter.submit(9).map(drop).unwrap_err();
    assert_eq!((refused.document, refused.why.to_string()), (Some(9), "the server was stopped".into()));
}

#[test]
fn an_answer_can_be_awaited() {
    let _watch = watch();
    let cpu = |number: &mut u64| Ok::<_, Cause>(*number);
    let (submitter, server) = Pipeline::new(cpu, double).max_wait(Duration::from_micros(10)).serve().unwrap();
    assert_eq!(pollster::block_on(submitter.submit(4).unwrap()).unwrap(), (4, 8));
    let (gone, never) = (submitter.clone(), server);
    drop(submitter);
    drop(never);
    let mut late = pin!(async { gone.submit(5).map(drop).unwrap_err() });
    let mut task = Context::from_waker(Waker::noop());
    let Poll::Ready(refused) = late.as_mut().poll(&mut task) else {
        panic!("a server that ended refuses at once")
    };
    assert_eq!(refused.document, Some(5));
}

#[test]
fn a_request_inside_code_that_does_not_return_is_answered_without_its_document() {
    let _watch = watch();
    let (release, released) = channel::<()>();
    let (entered, inside) = channel();
    let released = Mutex::new(released);
    let cpu = move |number: &mut u64| {
        entered.send(()).unwrap();
        let _released = released.lock().unwrap().recv();
        Ok::<_, Cause>(*number)
    };
    let pipeline = Pipeline::new(cpu, double).workers(1).grace(Duration::from_millis(10));
    let (submitter, server) = pipeline.serve().unwrap();
    let answer = submitter.submit(1).unwrap();
    inside.recv().unwrap();
    assert_eq!(server.stop().accounts.stuck, 1);
    assert_eq!(answer.wait().unwrap_err().document, None);
    drop(release);
}

#[test]
fn a_server_that_cannot_start_says_why_and_starts_nothing() {
    let _watch = watch();
    let cpu = |number: &mut u64| Ok::<_, Cause>(*number);
    let refused = |pipeline: Pipeline<u64, _, _>| match pipeline.serve() {
        Err(Error::Setting { name, .. }) => name,
        other => panic!("{:?}", other.map(drop)),
    };
    assert_eq!(refused(Pipeline::new(cpu, double).batch_size(0)), "batch_size");
    assert_eq!(refused(Pipeline::new(cpu, double).workers(0)), "workers");
}

/// Polls a future until it is done, waking as an executor does.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn requests_that_are_awaited_wait_for_room_without_a_thread_and_each_gets_its_row() {
    let _watch = watch();
    let same = |number: &mut u64| Ok::<_, Cause>(*number);
    // Room for two: most of them wait for it.
    let (submitter, server) = Pipeline::new(same, double).batch_size(2).workers(1).serve().unwrap();
    let mut asked: Vec<_> = (0..100).map(|number| (number, submitter.ask(number))).collect();
    // Some are given up, polled or not, and leave their room to others.
    let mut given_up = asked.split_off(90);
    for (_, asked) in given_up.iter_mut().take(5) {
        let _pending = pin!(asked).poll(&mut Context::from_waker(Waker::noop()));
    }
    drop(given_up);
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> =
            asked.into_iter().map(|(number, asked)| scope.spawn(move || (number, block_on(asked)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for (number, answer) in answers {
        assert_eq!(answer.unwrap(), (number, 2 * number));
    }
    drop(submitter);
    assert!(server.join().accounts.balance());
}

#[test]
fn whoever_waits_for_room_is_told_when_the_server_ends() {
    let _watch = watch();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let cpu = move |number: &mut u64| {
        let _released = released.lock().unwrap().recv();
        Ok::<_, Cause>(*number)
    };
    let (submitter, server) = Pipeline::new(cpu, double).batch_size(1).workers(1).serve().unwrap();
    let threads: Vec<_> = (0..40)
        .map(|number| {
            let asked = submitter.ask(number);
            std::thread::spawn(move || block_on(asked))
        })
        .collect();
    while !format!("{submitter:?}").contains("waiting: 1") {
        std::thread::yield_now();
    }
    let stopped = std::thread::spawn(move || server.stop());
    drop(release);
    for (number, thread) in threads.into_iter().enumerate() {
        match thread.join().unwrap() {
            Ok(answer) => assert_eq!(answer, (number as u64, 2 * number as u64)),
            Err(refused) => assert_eq!(refused.document, Some(number as u64), "{refused}"),
        }
    }
    assert!(stopped.join().unwrap().accounts.balance());
}
