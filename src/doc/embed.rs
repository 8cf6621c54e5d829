//! `embed`: a program over the tensors of many documents, its output written back as their embeddings.

use std::fmt;

use super::{Doc, DocArray, Tensor};
use crate::Program;
use crate::engine::settings::{Ahead, BatchSize};
use crate::error::Cause;
use crate::gpu::{Item, Row};
use crate::kernel::{Element, Values};
use crate::parallel::{Applied, ApplyError, PutBack, spill_one};
use crate::pipeline::Pipeline;
use crate::pipeline::how::How;
use crate::pipeline::setters::lent_setters;
use crate::stage::CpuStage;

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
            batch_size: BatchSize::Exactly(16),
            ahead: None,
            how: How::lent(),
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

/// How documents are embedded: see [`DocArray::embed`]. It does nothing until it is run.
#[must_use = "nothing is embedded until it is run"]
pub struct Embed<'a, C> {
    docs: &'a mut DocArray,
    program: Program,
    prepare: C,
    output: Option<String>,
    batch_size: BatchSize,
    ahead: Option<Ahead>,
    how: How,
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
        let Self { docs, program, output, batch_size, ahead, how, .. } = self;
        Embed { docs, program, prepare: stage, output, batch_size, ahead, how }
    }

    /// The output that becomes the embedding. Default: the program's first.
    pub fn output(self, name: impl Into<String>) -> Self {
        Self { output: Some(name.into()), ..self }
    }

    /// Documents a batch: a number, or [`Auto.up_to(most)`](crate::Auto::up_to). Default 16; 0 is an error. See
    /// [`Pipeline::batch_size`].
    pub fn batch_size(mut self, documents: impl Into<BatchSize>) -> Self {
        self.batch_size = documents.into();
        self
    }

    /// Batches that may be prepared ahead of the device: a number, or [`Auto`](crate::Auto). Default 2; 0 is an
    /// error. See [`Pipeline::ahead`].
    pub fn ahead(mut self, batches: impl Into<Ahead>) -> Self {
        self.ahead = Some(batches.into());
        self
    }

    lent_setters! {
        no ahead: "its own counts batches"
        on_failure:
        /// Default [`OnFailure::Stop`](crate::OnFailure::Stop): what was done keeps its embedding.
    }
}

impl<C> Embed<'_, C>
where
    C: CpuStage<Doc> + 'static,
    C::Prepared: Item,
{
    /// Embeds all documents, and returns when they are back in their places.
    ///
    /// # Errors
    /// A setting that cannot work, a program that cannot be opened, or failures that
    /// [`on_failure`](Self::on_failure) does not skip. Documents that were done by then keep their embeddings.
    pub fn run(self) -> Result<Applied, ApplyError> {
        let Self { docs, program, prepare, output, batch_size, ahead, mut how } = self;
        let write = move |doc: &mut Doc, row: Row<'_>| embed(doc, row, output.as_deref());
        // Who keeps the documents tells of them.
        let on_progress = how.hooks.on_progress.take();
        let pipeline = Pipeline::new(prepare, program).then(write).how(how).batch_size(batch_size);
        let pipeline = ahead.into_iter().fold(pipeline, Pipeline::ahead);
        PutBack::lend(docs.as_vec(), spill_one, on_progress, |rest| pipeline.run(rest).into_driven())
            .work(drop)
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
