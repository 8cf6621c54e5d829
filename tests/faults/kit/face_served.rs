//! `Pipeline::serve`: every document is a request, and its answer says what has become of it.

use gapless::pipeline::{Unanswered, Why};
use gapless::{Error, Pipeline, Stage};

use super::face::{Code, Face, Got, Setup};
use super::face_whole::Whole;
use super::stages::{Cpu, Device, Part};
use super::world::{Doc, World};

pub(super) fn serve(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, devices, then, source, in_place } = code;
    let setup = setup.clone();
    Whole::face(move |got| {
        drop(source);
        let pipeline = Pipeline::<Doc, Cpu, Device>::on_devices(cpu, devices).then(then);
        let (submitter, server) = match set_but_grace!(pipeline.batch_size(setup.batch_size), setup).serve() {
            Ok(served) => served,
            Err(error) => return got.end(error, &world),
        };
        let mut answers = Vec::new();
        for place in 0..in_place {
            match submitter.submit(world.document(false)) {
                Ok(answer) => answers.push((place, answer)),
                Err(refused) => not_answered(place, refused, got, &world),
            }
        }
        for (place, answer) in answers {
            match answer.wait() {
                Ok((document, part)) => answered(place, document, part, got, &world),
                Err(refused) => not_answered(place, refused, got, &world),
            }
        }
        drop(submitter);
        got.accounts = Some(server.join().accounts);
        got.documents.sort_unstable_by_key(|document| document.id);
    })
}

fn answered(place: u64, document: Doc, part: Part, got: &mut Got, world: &World) {
    if part.place != place {
        world.wrong(format_args!(
            "the request at {place} was answered with the row of that at {}",
            part.place
        ));
    }
    got.delivered.push(place);
    got.documents.push(document);
    got.kept.push(Box::new(part));
}

fn not_answered(place: u64, refused: Unanswered<Doc>, got: &mut Got, world: &World) {
    match refused.why {
        Why::Failed(cause) => got.failure(place, Stage::Cpu, cause),
        Why::Error(error) => ends_by(error, got),
        Why::Ended => {}
        other => world.wrong(format_args!("nobody asked for this: {other}")),
    }
    got.documents.extend(refused.document);
}

/// All requests that have no answer are told the same.
fn ends_by(error: Error, got: &mut Got) {
    got.error.get_or_insert(error);
}
