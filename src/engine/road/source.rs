//! Where documents come from.

use crate::engine::guard::guard;
use crate::error::{Cause, Error};
use crate::place::Position;

/// Where the documents of a run come from. It is asked by the feeder alone, and not again after its end.
pub trait Source<D>: Send {
    /// The next document, which takes this place; `None` where there is none, and an error where that is why.
    fn next(&mut self, place: Position) -> Result<Option<D>, Error>;

    /// Documents that there are in all, where it says so.
    fn length(&self) -> Option<u64>;

    /// How it is told from another thread to give nothing more, where it may wait for something of ours.
    fn end(&self) -> Option<EndSource> {
        None
    }
}

/// Tells a source to give nothing more.
pub(crate) type EndSource = Box<dyn Fn() + Send + Sync>;

/// Any iterator, which is user code.
pub(crate) struct Documents<I>(pub(crate) I);

impl<I: Iterator + Send> Source<I::Item> for Documents<I> {
    fn next(&mut self, position: Position) -> Result<Option<I::Item>, Error> {
        guard(|| self.0.next()).map_err(|cause| Error::Source { position, cause })
    }

    fn length(&self) -> Option<u64> {
        length(&self.0)
    }
}

/// Items of an iterator, where it says how many there are.
pub(crate) fn length(items: &impl Iterator) -> Option<u64> {
    exactly(guard(|| items.size_hint()).ok()?)
}

/// The number, where both bounds are the same.
pub(crate) fn exactly((least, most): (usize, Option<usize>)) -> Option<u64> {
    most.filter(|most| *most == least).map(|items| items as u64)
}

/// An iterator of results: the first error is why there is no document more.
pub(crate) struct UntilError<I>(pub(crate) Documents<I>);

impl<D, E: Into<Cause>, I: Iterator<Item = Result<D, E>> + Send> Source<D> for UntilError<I> {
    fn next(&mut self, position: Position) -> Result<Option<D>, Error> {
        let next = self.0.next(position)?.transpose();
        next.map_err(|error| Error::Source { position, cause: error.into() })
    }

    fn length(&self) -> Option<u64> {
        self.0.length()
    }
}

/// A source whose type is forgotten, so that the engine is not compiled for each.
pub(crate) type AnySource<'a, D> = Box<dyn Source<D> + 'a>;

/// Documents of any iterator.
pub(crate) fn documents<'a, D, I: Iterator<Item = D> + Send + 'a>(documents: I) -> AnySource<'a, D> {
    Box::new(Documents(documents))
}

impl<D> Source<D> for AnySource<'_, D> {
    fn next(&mut self, place: Position) -> Result<Option<D>, Error> {
        (**self).next(place)
    }

    fn length(&self) -> Option<u64> {
        (**self).length()
    }

    fn end(&self) -> Option<EndSource> {
        (**self).end()
    }
}
