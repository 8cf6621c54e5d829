//! `embed` as a face: each of the crate's own documents stands for one that is counted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use gapless::doc::{self, DocArray};
use gapless::gpu::Item;
use gapless::kernel::{Element, Normalize, Spec, Values};
use gapless::{Cause, CpuStage, Gpu, Program};
use ndarray::{Array3, ArrayView3};

use super::face::{Code, Face, Setup};
use super::face_whole::{Whole, note_call};
use super::stages::{Cpu, Prepared, Work};
use super::world::{Doc, World};

/// The counted documents by their places; whoever holds the crate's own one takes the counted one from here.
type Counted = Arc<[Mutex<Option<Doc>>]>;

pub(super) fn embed(setup: &Setup, code: Code) -> Box<dyn Face> {
    let Code { world, cpu, source, in_place, .. } = code;
    let setup = setup.clone();
    Whole::face(move |got| {
        drop(source);
        let counted: Counted = (0..in_place).map(|_| Mutex::new(Some(world.document(false)))).collect();
        let mut docs: DocArray = (0..in_place).map(|place| named(&place.to_string())).collect();
        let embed = docs.embed(program()).prepare(Stands { cpu: Arc::new(cpu), counted: counted.clone() });
        let embed = set!(embed.batch_size(setup.batch_size).on_failure(setup.policy), setup);
        let called = catch_unwind(AssertUnwindSafe(|| embed.run()));
        for document in docs.iter() {
            let Ok(place) = document.id.parse::<u64>() else {
                world.wrong(format_args!("who is {}?", document.id));
                continue;
            };
            got.delivered.extend(embedded(document, place, &world));
            match counted[place as usize].lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(document) => got.documents.push(document),
                None => world.wrong(format_args!("document {place} is there twice")),
            }
        }
        note_call(called, &setup, got, &world);
    })
}

fn named(id: &str) -> doc::Doc {
    let mut document = doc::Doc::new();
    document.id = id.to_owned();
    document
}

/// The place of a document that has an embedding, which is its own.
fn embedded(document: &doc::Doc, place: u64, world: &World) -> Option<u64> {
    let embedding = document.embedding.as_ref()?;
    if *embedding != Array3::from_elem((3, 1, 1), place as f32).into() {
        world.wrong(format_args!("document {place} has the embedding of another"));
    }
    Some(place)
}

/// Gives the pixel that it is given.
fn program() -> Program {
    let mut net = Program::new(&Gpu::cpu());
    let photo = net.input("photo", Spec::bytes(&[1, 1, 3])).expect("an input");
    let planes = net.add(Normalize::new([0.0; 3], [1.0; 3]), &[photo]).expect("three channels");
    net.output("planes", planes).expect("an output");
    net
}

/// Lends the code of a CPU stage the document for which that of the crate stands.
struct Stands {
    cpu: Arc<Cpu>,
    counted: Counted,
}

impl CpuStage<doc::Doc> for Stands {
    type Prepared = Pixel;

    fn prepare(&self, document: &mut doc::Doc) -> Result<Pixel, Cause> {
        let place: u64 = document.id.parse()?;
        let mut counted = self.counted[place as usize].lock().unwrap_or_else(PoisonError::into_inner);
        let document = counted.as_mut().ok_or_else(|| Cause::msg("it is there twice"))?;
        let prepared = self.cpu.run(Work::One(document))?;
        Ok(Pixel { prepared, cpu: self.cpu.clone(), pixel: [place as u8; 3] })
    }

    fn recycle(&self, used: Pixel) {
        self.cpu.reuse(used.prepared);
    }

    fn interrupt(&self) {
        self.cpu.give_up();
    }
}

struct Pixel {
    prepared: Prepared,
    cpu: Arc<Cpu>,
    pixel: [u8; 3],
}

impl Item for Pixel {
    const ELEMENT: Option<Element> = Some(Element::U8);

    fn arrays(&self) -> usize {
        1
    }

    fn array(&self, _index: usize) -> Values<'_> {
        let channels = if self.cpu.code.is_read(self.prepared.first) { 3 } else { 1 };
        let pixel = ArrayView3::from_shape((1, 1, channels), &self.pixel[..channels]);
        Values::U8(pixel.expect("as many as there are").into_dyn())
    }
}
