//! A cause: an error of anyone's, made safe to be kept, printed and dropped on any thread.
//!
//! The code of an error is the user's, and it may panic. So it is run here alone, each call on its own and
//! caught: `Display` and `source` once, where the cause is made, and `Drop` when the last clone goes.
//! A cause prints the text that it was made with, and nothing of the user's runs then.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::guard::{drop_user, guard};
use super::kept::{Boxed, Kept};
use super::text::Text;

/// Why something failed: any error, a message, or a panic that was caught.
///
/// `?` turns any error into a cause: a type of its own, a `Box<dyn Error + Send + Sync>`, an `anyhow::Error`, a
/// text. It is cheap to clone, since one cause can stand for every document of a batch. It prints everything in
/// one line: contexts, the error, and behind that the error's sources, where they say what the error does not. Line
/// breaks and other control characters are escaped, in names as in all else.
///
/// ```
/// use gapless::Cause;
/// fn parse(text: &str) -> Result<u8, Cause> {
///     if text.is_empty() {
///         Err("there is no number")?;
///     }
///     Ok(text.parse::<u8>()?)
/// }
/// assert_eq!(parse("300").unwrap_err().to_string(), "number too large to fit in target type");
/// assert_eq!(parse("").unwrap_err().to_string(), "there is no number");
/// assert_eq!(Cause::msg("no photo").to_string(), "no photo");
/// ```
///
/// # As an error
/// A cause is no [`std::error::Error`] itself: only so can every error become one. `?` turns it into a
/// `Box<dyn Error>` and, with the feature `anyhow` (on by default), into an `anyhow::Error`; anything else takes
/// what [`into_error`](Self::into_error) gives.
///
/// ```
/// use gapless::Cause;
/// use std::error::Error;
/// fn fails() -> Result<(), Cause> {
///     Err("no photo")?
/// }
/// fn boxed() -> Result<(), Box<dyn Error>> {
///     Ok(fails()?)
/// }
/// fn sent() -> Result<(), Box<dyn Error + Send + Sync>> {
///     Ok(fails().map_err(Cause::into_error)?)
/// }
/// assert_eq!(boxed().unwrap_err().to_string(), sent().unwrap_err().to_string());
/// ```
///
/// # Errors that panic
/// A cause can be printed and dropped anywhere, whatever the error inside does. Its text is taken when it
/// is made, the error's and behind that its sources', the first mebibyte of the first 64 of them. A panic
/// there stands in the text; one when the error is dropped is caught.
#[derive(Clone)]
pub struct Cause(Arc<Told>);

/// What a cause says, and what it is.
struct Told {
    text: String,
    /// Bytes of the text before what the error's sources say.
    own: usize,
    panic: bool,
    error: Option<Arc<Kept>>,
    /// Which in the chain is the first that says what is not in the text before it.
    behind: Option<usize>,
}

impl Cause {
    /// A cause that is only a message.
    pub fn msg(message: impl fmt::Display) -> Self {
        let mut text = Text::default();
        text.add(&message);
        drop_user(message);
        Self::said(text.take(), false)
    }

    /// A message of several lines, that holds no name from anywhere but the user's program.
    #[cfg(feature = "gpu")]
    pub(crate) fn lines(message: impl fmt::Display) -> Self {
        let mut text = Text::default();
        text.add_lines(&message);
        Self::said(text.take(), false)
    }

    /// The same cause with what was being done put before it: `context: cause`.
    ///
    /// ```
    /// # use gapless::Cause;
    /// assert_eq!(Cause::msg("is a directory").context("photos/").to_string(), "photos/: is a directory");
    /// ```
    #[must_use]
    pub fn context(self, context: impl fmt::Display) -> Self {
        let Told { text: before, own, panic, error, behind } = &*self.0;
        let mut text = Text::default();
        text.add(&context);
        drop_user(context);
        text.add(&": ");
        let own = text.len() + own;
        text.add_lines(before);
        let (panic, error, behind) = (*panic, error.clone(), *behind);
        Self(Arc::new(Told { text: text.take(), own, panic, error, behind }))
    }

    /// The cause that a caught panic leaves.
    pub(crate) fn panic(payload: &(dyn Any + Send)) -> Self {
        let mut text = Text::default();
        text.add(&format_args!("panicked: {}", Self::panic_message(payload)));
        Self::said(text.take(), true)
    }

    /// A cause that was told by another process, in the words that it had there.
    #[cfg(unix)]
    pub(crate) fn told(text: String, panic: bool) -> Self {
        Self::said(text, panic)
    }

    fn said(text: String, panic: bool) -> Self {
        Self(Arc::new(Told { own: text.len(), text, panic, error: None, behind: None }))
    }

    fn of(kept: Kept) -> Self {
        let mut text = Text::default();
        let (own, behind) = kept.error().map_or((0, None), |error| {
            text.add(&error);
            (text.len(), text.add_sources(error))
        });
        Self(Arc::new(Told { text: text.take(), own, panic: false, error: Some(Arc::new(kept)), behind }))
    }

    /// What a caught panic says.
    fn panic_message(payload: &(dyn Any + Send)) -> &str {
        let text = payload.downcast_ref::<&str>().copied();
        text.or_else(|| payload.downcast_ref().map(String::as_str)).unwrap_or("a value that is no text")
    }

    /// Whether this is a panic that was caught in user code.
    pub fn is_panic(&self) -> bool {
        self.0.panic
    }

    /// The error inside, if it is one of type `E`; also where it was given in a box or, with the feature `anyhow`,
    /// in an `anyhow::Error`.
    pub fn downcast_ref<E: StdError + Send + Sync + 'static>(&self) -> Option<&E> {
        self.0.error.as_ref()?.downcast_ref()
    }

    /// The error inside, its source, the source of that, and so on, at most 64 of them; nothing for a message and
    /// for a panic. It asks the errors themselves: one that panics when it is asked for its source ends the chain.
    ///
    /// ```
    /// use gapless::Cause;
    /// use std::io::{Error, ErrorKind};
    /// let number = "300".parse::<u8>().unwrap_err();
    /// let cause = Cause::from(Error::new(ErrorKind::InvalidData, number.clone())).context("line 7");
    /// assert_eq!(cause.chain().count(), 1, "an io::Error says what the error in it says");
    /// assert_eq!(cause.chain().next().unwrap().to_string(), number.to_string());
    /// assert_eq!(Cause::msg("no photo").chain().count(), 0);
    /// ```
    pub fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        self.0.error.iter().flat_map(|kept| kept.chain())
    }

    /// The cause as an error, for whoever asks for one.
    pub fn into_error(self) -> CauseError {
        CauseError(self)
    }

    /// What an error says of its cause: what stands before the sources, which [`Cause::behind`] goes on with.
    /// Everything where the alternate form (`{:#}`) is asked for.
    pub(crate) fn fmt_own(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told { text, own, .. } = &*self.0;
        let own = if f.alternate() { None } else { text.get(..*own) };
        f.write_str(own.unwrap_or(text))
    }

    /// The first source of the error inside that says what the error does not.
    pub(crate) fn behind(&self) -> Option<&(dyn StdError + 'static)> {
        self.chain().nth(self.0.behind?)
    }
}

// `Cause` itself is no `std::error::Error`: only so can every error become one.
impl<E: Into<Boxed> + 'static> From<E> for Cause {
    fn from(error: E) -> Self {
        match guard(|| Kept::new(error)) {
            Ok(Ok(kept)) => Self::of(kept),
            Ok(Err(error)) => error.0,
            Err(panic) => panic,
        }
    }
}

impl From<Cause> for Box<dyn StdError> {
    fn from(cause: Cause) -> Self {
        Box::new(cause.into_error())
    }
}

#[cfg(feature = "anyhow")]
impl From<Cause> for anyhow::Error {
    fn from(cause: Cause) -> Self {
        Self::new(cause.into_error())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cause({self})")
    }
}

/// A [`Cause`] as a [`std::error::Error`]: see [`Cause::into_error`]. `?` makes the cause of it again.
///
/// It says what the cause does up to the sources of the error inside, and [`source`](StdError::source) goes on with
/// those, so whoever prints a chain of errors prints each once. `{:#}` prints all of them in one line.
///
/// ```
/// use gapless::Cause;
/// let error = Cause::msg("no photo").context("photos/cat.jpg").into_error();
/// assert_eq!(error.to_string(), "photos/cat.jpg: no photo");
/// let cause: Cause = error.into();
/// assert_eq!(cause.to_string(), "photos/cat.jpg: no photo");
/// ```
#[derive(Clone)]
pub struct CauseError(Cause);

impl CauseError {
    /// The cause.
    pub fn cause(&self) -> &Cause {
        &self.0
    }
}

impl StdError for CauseError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.behind()
    }
}

impl fmt::Display for CauseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_own(f)
    }
}

impl fmt::Debug for CauseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CauseError({})", self.0)
    }
}
