//! For the tests of whoever writes a GPU stage: what gapless relies on, as checks.
//!
//! [`check_stage`] runs a [`GpuStage`] as the engine does, and in ways in which the engine does seldom, and says
//! which [`Law`] it breaks.

mod broken;
mod laws;
mod probe;

use std::fmt;
use std::time::Duration;

pub use self::broken::{BrokenLaw, Law};
use crate::stage::{GpuStage, Rows};

/// Checks a GPU stage: `make` makes one, and `items` are prepared items that it takes.
///
/// Each law is checked with stages of its own, which are opened for batches as large as there are items. Four items
/// are enough as a rule; two neighbours must not give the same row, since their order could not be seen. Rows are
/// compared with `==`; [`same`](StageCheck::same) compares them otherwise.
///
/// An empty batch is never submitted, here as elsewhere. Nothing is decided by how long a call takes, but that a
/// result comes at all ([`patience`](StageCheck::patience)).
///
/// ```
/// use gapless::testing::{Law, check_stage};
/// let square = |batch: &[f32]| batch.iter().map(|x| x * x).collect::<Vec<_>>();
/// check_stage(|| square, &[1.0, 2.0, 3.0, 4.0]).run()?;
///
/// let sorts = |batch: &[f32]| {
///     let mut rows = batch.to_vec();
///     rows.sort_by(f32::total_cmp);
///     rows
/// };
/// let broken = check_stage(|| sorts, &[4.0, 3.0, 2.0, 1.0]).run().unwrap_err();
/// assert_eq!(broken.law(), Law::Order);
/// println!("{broken}"); // order: row 0 of a batch of 2 is not that of its item, but of another
/// # Ok::<(), gapless::testing::BrokenLaw>(())
/// ```
pub fn check_stage<'a, P, G>(make: impl FnMut() -> G + 'a, items: &'a [P]) -> StageCheck<'a, P, G>
where
    P: Sync,
    G: GpuStage<P, Output: Rows>,
    for<'r> <G::Output as Rows>::Row<'r>: PartialEq,
{
    StageCheck {
        make: Box::new(make),
        items,
        refused: Vec::new(),
        failing: Vec::new(),
        lose: None,
        same: Box::new(|(one, at), (other, there)| one.row(at) == other.row(there)),
        patience: Duration::from_secs(60),
    }
}

/// What is known of a stage that is checked: see [`check_stage`].
#[must_use = "nothing is checked until it is run"]
pub struct StageCheck<'a, P, G: GpuStage<P, Output: Rows>> {
    make: Box<dyn FnMut() -> G + 'a>,
    items: &'a [P],
    refused: Vec<&'a P>,
    failing: Vec<&'a [P]>,
    lose: Option<Lose<'a, G>>,
    same: Same<'a, G::Output>,
    patience: Duration,
}

/// Makes a stage lose its device.
type Lose<'a, G> = Box<dyn FnMut(&mut G) + 'a>;

/// Whether a row of one output is the same as one of another.
type Same<'a, O> = Box<dyn Fn((&O, usize), (&O, usize)) -> bool + 'a>;

impl<'a, P, G> StageCheck<'a, P, G>
where
    P: Sync,
    G: GpuStage<P, Output: Rows>,
{
    /// An item that the stage does not [accept](GpuStage::accepts).
    pub fn refuses(mut self, item: &'a P) -> Self {
        self.refused.push(item);
        self
    }

    /// A batch, no larger than there are items, that fails as a whole and leaves the stage as it was.
    ///
    /// ```
    /// use gapless::testing::check_stage;
    /// let root = |batch: &[f32]| match batch.iter().find(|x| **x < 0.0) {
    ///     Some(x) => Err(format!("{x} has no root")),
    ///     None => Ok(batch.iter().map(|x| x.sqrt()).collect::<Vec<_>>()),
    /// };
    /// check_stage(|| root, &[1.0, 2.0, 3.0]).fails(&[4.0, -1.0]).run()?;
    /// # Ok::<(), gapless::testing::BrokenLaw>(())
    /// ```
    pub fn fails(mut self, batch: &'a [P]) -> Self {
        self.failing.push(batch);
        self
    }

    /// How the stage is made to lose its device, so that it has to be [made again](GpuStage::reopen).
    pub fn loses(mut self, lose: impl FnMut(&mut G) + 'a) -> Self {
        self.lose = Some(Box::new(lose));
        self
    }

    /// When two rows are the same, where `==` is too strict: for a device whose sums depend on the size of a batch.
    pub fn same(
        mut self,
        same: impl for<'r> Fn(<G::Output as Rows>::Row<'r>, <G::Output as Rows>::Row<'r>) -> bool + 'a,
    ) -> Self {
        self.same = Box::new(move |(one, at), (other, there)| same(one.row(at), other.row(there)));
        self
    }

    /// Longest time that a result may take. Default 60 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Checks one law after another.
    ///
    /// # Errors
    /// The first law that is broken, and how.
    pub fn run(mut self) -> Result<(), BrokenLaw> {
        let alone = self.alone()?;
        self.any_size(&alone)?;
        self.in_flight(&alone)?;
        self.accepts(&alone)?;
        self.threads(&alone)?;
        self.drops(&alone)?;
        self.failures(&alone)?;
        self.reopens(&alone)?;
        self.loss(&alone)
    }
}

impl<P, G: GpuStage<P, Output: Rows>> fmt::Debug for StageCheck<'_, P, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageCheck").field("items", &self.items.len()).finish_non_exhaustive()
    }
}
