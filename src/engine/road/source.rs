//! Where documents come from.

use crate::engine::guard::guard;
use crate::error::Error;
use crate::place::Position;

/// Where the documents of a run come from. It is asked by the feeder alone, and not again after its end.
pub(crate) trait Source<D>: Send {
    /// The next document, which takes this place; `None` where there is none, and an error where that is why.
    fn next(&mut self, place: Position) -> Result<Option<D>, Error>;

    /// Documents that there are in all, where it says so.
    fn length(&self) -> Option<u64>;
}

/// Any iterator, which is user code.
pub(crate) type Documents<'a, D> = Box<dyn Iterator<Item = D> + Send + 'a>;

impl<D> Source<D> for Documents<'_, D> {
    fn next(&mut self, position: Position) -> Result<Option<D>, Error> {
        guard(|| Iterator::next(self)).map_err(|cause| Error::Source { position, cause })
    }

    fn length(&self) -> Option<u64> {
        let (least, most) = guard(|| self.size_hint()).ok()?;
        most.filter(|most| *most == least).map(|items| items as u64)
    }
}
