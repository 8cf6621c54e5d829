//! `embed`: a program over the tensors of many documents, its output written back as their embeddings.

use std::fmt;
use std::sync::Arc;

use rayon::ThreadPool;

use super::{Doc, DocArray, Tensor};
use crate::engine::settings::{OnFailure, WorkerCount};
use crate::error::{Cause, Error, Failure};
use crate::gpu::{Item, Row};
use crate::kernel::{Element, Values};
use crate::observe::progress::Progress;
use crate::parallel::{Applied, ApplyError, Rest};
use crate::pipeline::{Pipeline, Run};
use crate::stage::CpuStage;
use crate::{Position, Program};

/// The tensor of a document is an item of a program: bytes or floats.
impl Item for Tensor {
    const ELEMENT: Option<Element> = None;

    fn arrays(&self) -> usize {
        1
    }

    fn array(&self, _index: usize) -> Values<'_> {
        match self {
            Self::U8(array) => Values::U8(array.view()),
            Self::F32(array) => Values::F32(array.view()),
            // A program refuses it: it takes no tensor of no axes and no number.
            _ => Values::U8(ndarray::ArrayView1::from(&[][..]).into_dyn()),
        }
    }
}

impl DocArray {
    /// Runs a program over the tensors of all documents and writes what it gives into their embeddings.
    ///
    /// The next batch is prepared while one is on the device, and embeddings are written while the next is.
    /// DocArray's `embed` does one after the other. Documents come back to their places on every ending.
    ///
    /// ```
    /// use gapless::doc::{Doc, DocArray};
    /// use gapless::kernel::{GlobalAveragePool, Normalize, Spec};
    /// use gapless::{Gpu, Program};
    ///
    /// let mut net = Program::new(&Gpu::cpu());
    /// let photo = net.input("photo", Spec::bytes(&[8, 8, 3]))?;
    /// let pixels = net.add(Normalize::new([0.0; 3], [1.0; 3]), &[photo])?;
    /// let mean = net.add(GlobalAveragePool::new(), &[pixels])?;
    /// net.output("mean", mean)?;
    ///
    /// let image = |gray: u8| Doc::from_tensor(ndarray::Array3::from_elem((8, 8, 3), gray));
    /// let mut docs: DocArray = (0..100).map(image).collect();
    /// docs.embed(net).batch_size(16).run()?;
    /// assert_eq!(docs[42].embedding, Some(ndarray::array![42.0_f32, 42.0, 42.0].into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn embed(&mut self, program: Program) -> Embed<'_, OwnTensor> {
        Embed {
            docs: self,
            program,
            prepare: OwnTensor(()),
            output: None,
            keep: Settings { batch_size: 16, workers: WorkerCount::Auto, on_failure: OnFailure::Stop },
            pool: None,
            on_progress: None,
        }
    }
}

/// Gives the program a document's own tensor; other kinds of number than u8 and f32 as f32.
#[derive(Clone, Copy, Debug)]
pub struct OwnTensor(());

impl CpuStage<Doc> for OwnTensor {
    type Prepared = Tensor;

    fn prepare(&self, doc: &mut Doc) -> Result<Tensor, Cause> {
        match doc.tensor() {
            Some(tensor @ (Tensor::U8(_) | Tensor::F32(_))) => Ok(tensor.clone()),
            Some(other) => Ok(Tensor::F32(other.to_f32())),
            None => {
                Err(Cause::msg(format_args!("a tensor is needed, and the document holds {}", doc.held())))
            }
        }
    }
}

type OnProgress = Box<dyn FnMut(&Progress) + Send>;

#[derive(Clone, Copy)]
struct Settings {
    batch_size: usize,
    workers: WorkerCount,
    on_failure: OnFailure,
}

/// How documents are embedded: see [`DocArray::embed`]. It does nothing until it is run.
#[must_use = "nothing is embedded until it is run"]
pub struct Embed<'a, C> {
    docs: &'a mut DocArray,
    program: Program,
    prepare: C,
    output: Option<String>,
    keep: Settings,
    pool: Option<Arc<ThreadPool>>,
    on_progress: Option<OnProgress>,
}

impl<'a, C> Embed<'a, C> {
    /// Prepares each document with this stage instead of taking its tensor: a loader, for documents that name
    /// photos, so that no tensor is held.
    ///
    #[cfg_attr(feature = "image", doc = "```")]
    #[cfg_attr(not(feature = "image"), doc = "```ignore")]
    /// use gapless::doc::DocArray;
    /// use gapless::image::Loader;
    /// # use gapless::kernel::{GlobalAveragePool, Normalize, Spec};
    /// # use gapless::{Gpu, Program};
    /// # let mut net = Program::new(&Gpu::cpu());
    /// # let photo = net.input("photo", Spec::bytes(&[32, 32, 3]))?;
    /// # let pixels = net.add(Normalize::new([0.0; 3], [1.0; 3]), &[photo])?;
    /// # let mean = net.add(GlobalAveragePool::new(), &[pixels])?;
    /// # net.output("mean", mean)?;
    /// let mut docs = DocArray::from_files("photos/*.jpg")?;
    /// docs.embed(net).prepare(Loader::rgb8(32, 32)).run()?;
    /// assert!(docs.iter().all(|doc| doc.embedding.is_some() && doc.tensor().is_none()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare<S>(self, stage: S) -> Embed<'a, S>
    where
        S: CpuStage<Doc>,
        S::Prepared: Item,
    {
        let Self { docs, program, output, keep, pool, on_progress, .. } = self;
        Embed { docs, program, prepare: stage, output, keep, pool, on_progress }
    }

    /// The output that becomes the embedding. Default: the program's first.
    pub fn output(self, name: impl Into<String>) -> Self {
        Self { output: Some(name.into()), ..self }
    }

    /// Documents a batch. Default 16; 0 is an error.
    pub fn batch_size(mut self, documents: usize) -> Self {
        self.keep.batch_size = documents;
        self
    }

    /// Workers that prepare documents: a number, or [`Auto`](crate::Auto). Default `Auto`; with 0 everything
    /// runs inline in the caller.
    pub fn workers(mut self, workers: impl Into<WorkerCount>) -> Self {
        self.keep.workers = workers.into();
        self
    }

    /// Uses the threads of this pool as workers; it is never closed by us.
    pub fn pool(self, pool: &Arc<ThreadPool>) -> Self {
        Self { pool: Some(pool.clone()), ..self }
    }

    /// What happens when a document fails. Default [`OnFailure::Stop`].
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.keep.on_failure = on_failure;
        self
    }

    /// Calls this on the caller's thread with every batch that is done. Default none.
    pub fn progress(self, on_progress: impl FnMut(&Progress) + Send + 'static) -> Self {
        Self { on_progress: Some(Box::new(on_progress)), ..self }
    }
}

impl<C> Embed<'_, C>
where
    C: CpuStage<Doc>,
    C::Prepared: Item,
{
    /// Embeds all documents, and returns when they are back in their places.
    ///
    /// # Errors
    /// A setting that cannot work, a program that cannot be opened, or failures that
    /// [`on_failure`](Self::on_failure) does not skip. Documents that were done by then keep their embeddings.
    pub fn run(self) -> Result<Applied, ApplyError> {
        let Self { docs, program, prepare, output, keep, pool, mut on_progress } = self;
        let write = move |doc: &mut Doc, row: Row<'_>| embed(doc, row, output.as_deref());
        let mut pipeline = Pipeline::new(prepare, program)
            .then(write)
            .batch_size(keep.batch_size)
            .workers(keep.workers)
            .on_failure(keep.on_failure)
            .grace(std::time::Duration::MAX);
        if let Some(pool) = &pool {
            pipeline = pipeline.pool(pool);
        }
        let rest = Rest::default();
        rest.fill(std::mem::take(docs.as_vec()));
        let run = pipeline.run(rest.clone());
        let mut back = PutBack { docs, run, rest, done: Vec::new() };
        let mut failures = Vec::new();
        match back.work(&mut failures, &mut on_progress) {
            Ok(()) => Ok(Applied { failures }),
            Err(error) => Err(ApplyError { error, failures }),
        }
    }
}

fn embed(doc: &mut Doc, row: Row<'_>, output: Option<&str>) -> Result<(), Cause> {
    let mut outputs = row.iter();
    let found = match output {
        None => outputs.next(),
        Some(wanted) => outputs.find(|(name, _)| *name == wanted),
    };
    let Some((_, view)) = found else {
        return Err(Cause::msg(format_args!("the program has no output {}", output.unwrap_or("at all"))));
    };
    doc.embedding = Some(view.to_owned().into());
    Ok(())
}

impl<C> fmt::Debug for Embed<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embed").field("docs", &self.docs.len()).finish_non_exhaustive()
    }
}

/// Puts every document back when it is dropped, whatever ended the work.
struct PutBack<'a> {
    docs: &'a mut DocArray,
    run: Run<Doc, Vec<()>>,
    rest: Rest<Doc>,
    done: Vec<(Position, Doc)>,
}

impl PutBack<'_> {
    fn work(
        &mut self,
        failures: &mut Vec<Failure<()>>,
        on_progress: &mut Option<OnProgress>,
    ) -> Result<(), Error> {
        while let Some(batch) = self.run.next() {
            let batch = batch?;
            let positions = batch.positions().to_vec();
            let (docs, _, failed) = batch.into_parts();
            self.done.extend(positions.into_iter().zip(docs));
            for Failure { document, position, stage, cause } in failed {
                self.done.push((position, document));
                failures.push(Failure { document: (), position, stage, cause });
            }
            if let Some(on_progress) = on_progress {
                on_progress(&self.run.progress());
            }
        }
        Ok(())
    }
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        self.run.stop();
        self.done.extend(self.run.take_back());
        self.done.sort_by_key(|(position, _)| *position);
        self.docs.extend(self.done.drain(..).map(|(_, doc)| doc));
        self.docs.extend(self.rest.left());
    }
}
