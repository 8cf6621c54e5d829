//! One item, without a pipeline.

use std::time::Duration;

use super::Program;
use crate::error::Error;
use crate::error::guard::guard;
use crate::gpu::graph::setting;
use crate::gpu::{Item, Tensors};
use crate::place::BatchIndex;
use crate::stage::{GpuStage, StageError};

/// How long a result is waited for before it is asked for again; a device that hangs is noticed by its deadline.
const WAIT: Duration = Duration::from_secs(1);

impl Program {
    /// What it gives for one item: tensors of one row.
    ///
    /// The program is opened for one item at the first call and stays open for the next ones, and for runs of its
    /// clones; a run that was opened for more serves as well. Calls at the same time have a ring each. A device that is
    /// lost is made again, and the item is submitted once more.
    ///
    /// ```
    /// use gapless::kernel::{Softmax, Spec};
    /// use gapless::{Gpu, Program, Rows};
    /// use ndarray::arr1;
    ///
    /// let mut net = Program::new(&Gpu::cpu());
    /// let x = net.input("x", Spec::floats(&[3]))?;
    /// let y = net.add(Softmax::new(), &[x])?;
    /// net.output("prob", y)?;
    /// assert_eq!(net.run_once(&arr1(&[1.0_f32, 3.0, 2.0]))?.row(0)["prob"].argmax(), 1);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] where the item does not have the element type and the shape of the inputs,
    /// [`Error::Open`] where the program cannot be opened, [`Error::Batch`] where the item fails, and
    /// [`Error::DeviceLost`] where the device cannot be made again or is lost by the same item twice.
    pub fn run_once<I: Item>(&self, item: &I) -> Result<Tensors, Error> {
        self.check_settings()?;
        self.accepts(item).map_err(|cause| setting("Program::run_once", cause.to_string()))?;
        let mut program = self.clone();
        GpuStage::<I>::open(&mut program, 1).map_err(|cause| Error::Open { cause })?;
        let first = program.run_here(item);
        let Err(StageError::Lost(_)) = first else { return first.map_err(|error| self.ended(error)) };
        let again =
            GpuStage::<I>::reopen(&mut program).map_err(|error| StageError::Lost(error.cause().clone()));
        again.and_then(|()| program.run_here(item)).map_err(|error| self.ended(error))
    }

    /// Twins and items may be the user's: what they throw fails the item.
    fn run_here<I: Item>(&mut self, item: &I) -> Result<Tensors, StageError> {
        guard(|| {
            let mut ticket = self.submit(std::slice::from_ref(item))?;
            loop {
                if let Some(tensors) = GpuStage::<I>::try_collect(self, &mut ticket, WAIT)? {
                    return Ok(tensors);
                }
            }
        })?
    }

    fn ended(&self, error: StageError) -> Error {
        let batch = BatchIndex::default();
        match error {
            StageError::Lost(cause) => {
                Error::DeviceLost { device: self.gpu().info().name.clone(), batch, cause }
            }
            StageError::Batch(cause) | StageError::TooLarge(cause) => Error::Batch { batch, cause },
        }
    }
}
