//! An error of the user's, kept as it was given; whatever is asked of it, and its `Drop`, may panic.

use std::error::Error as StdError;

use super::cause::CauseError;
use super::guard::{drop_user, guard};
use super::text::SOURCES;

pub(super) type Boxed = Box<dyn StdError + Send + Sync>;

/// An error of the user's, dropped without unwinding.
pub(super) struct Kept(Option<Given>);

enum Given {
    Boxed(Boxed),
    /// As a box it would hide the type of the error inside.
    #[cfg(feature = "anyhow")]
    Anyhow(anyhow::Error),
}

impl Kept {
    /// Keeps an error; gives that back which a cause was turned into.
    pub(super) fn new<E: Into<Boxed> + 'static>(error: E) -> Result<Self, Box<CauseError>> {
        Ok(Self(Some(Given::new(error)?)))
    }

    pub(super) fn error(&self) -> Option<&(dyn StdError + 'static)> {
        Some(match self.0.as_ref()? {
            Given::Boxed(error) => &**error,
            #[cfg(feature = "anyhow")]
            Given::Anyhow(error) => error.as_ref(),
        })
    }

    pub(super) fn downcast_ref<E: StdError + Send + Sync + 'static>(&self) -> Option<&E> {
        match self.0.as_ref()? {
            Given::Boxed(error) => error.downcast_ref(),
            #[cfg(feature = "anyhow")]
            Given::Anyhow(error) => error.downcast_ref(),
        }
    }

    /// The error and its sources.
    pub(super) fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        std::iter::successors(self.error(), |error| source(*error)).take(1 + SOURCES)
    }
}

fn source<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    guard(|| error.source()).ok().flatten()
}

impl Given {
    #[cfg(feature = "anyhow")]
    fn new<E: Into<Boxed> + 'static>(error: E) -> Result<Self, Box<CauseError>> {
        use std::any::Any;
        let mut error = Some(error);
        let any = (&mut error as &mut dyn Any).downcast_mut::<Option<anyhow::Error>>();
        match (any.and_then(Option::take), error) {
            // What has a context says more than the cause behind it.
            (Some(any), _) if AsRef::<dyn StdError>::as_ref(&any).is::<CauseError>() => {
                any.downcast().map_or_else(|any| Ok(Self::Anyhow(any)), |cause| Err(Box::new(cause)))
            }
            (Some(any), _) => Ok(Self::Anyhow(any)),
            (None, Some(error)) => Self::boxed(error),
            (None, None) => unreachable!("what was taken is there"),
        }
    }

    #[cfg(not(feature = "anyhow"))]
    fn new<E: Into<Boxed> + 'static>(error: E) -> Result<Self, Box<CauseError>> {
        Self::boxed(error)
    }

    fn boxed(error: impl Into<Boxed>) -> Result<Self, Box<CauseError>> {
        error.into().downcast().map_or_else(|error| Ok(Self::Boxed(error)), Err)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop_user(self.0.take());
    }
}
