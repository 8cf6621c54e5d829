//! A cause: an error of anyone's, made safe to be kept, printed and dropped on any thread.
//!
//! The code of an error is the user's, and it may panic. So it is run here alone, each call on its own and
//! caught: `Display` and `source` once, where the cause is made, and `Drop` when the last clone goes.
//! A cause prints the text that it was made with, and nothing of the user's runs then.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::guard::drop_user;
use super::text::Text;

/// Why something failed: any error, a message, or a panic that was caught.
///
/// `?` turns any error into a cause. It is cheap to clone, since one cause can stand for every
/// document of a batch.
///
/// ```
/// use gapless::Cause;
/// fn parse(text: &str) -> Result<u8, Cause> {
///     Ok(text.parse::<u8>()?)
/// }
/// assert_eq!(parse("300").unwrap_err().to_string(), "number too large to fit in target type");
/// assert_eq!(Cause::msg("no photo").to_string(), "no photo");
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
    panic: bool,
    error: Option<Arc<Owned>>,
}

/// An error of the user's, dropped without unwinding.
struct Owned(Option<Box<dyn StdError + Send + Sync>>);

impl Drop for Owned {
    fn drop(&mut self) {
        drop_user(self.0.take());
    }
}

impl Cause {
    /// A cause that is only a message.
    pub fn msg(message: impl fmt::Display) -> Self {
        let mut text = Text::default();
        text.add(&message);
        drop_user(message);
        Self::new(text, false, None)
    }

    /// The same cause with what was being done put before it: `context: cause`.
    ///
    /// ```
    /// # use gapless::Cause;
    /// assert_eq!(Cause::msg("is a directory").context("photos/").to_string(), "photos/: is a directory");
    /// ```
    #[must_use]
    pub fn context(self, context: impl fmt::Display) -> Self {
        let mut text = Text::default();
        text.add(&context);
        drop_user(context);
        text.add(&format_args!(": {}", self.0.text));
        Self::new(text, self.0.panic, self.0.error.clone())
    }

    /// The cause that a caught panic leaves.
    pub(crate) fn panic(payload: &(dyn Any + Send)) -> Self {
        let mut text = Text::default();
        text.add(&format_args!("panicked: {}", Self::panic_message(payload)));
        Self::new(text, true, None)
    }

    /// A cause that was told by another process, in the words that it had there.
    #[cfg(unix)]
    pub(crate) fn told(text: String, panic: bool) -> Self {
        Self(Arc::new(Told { text, panic, error: None }))
    }

    fn new(text: Text, panic: bool, error: Option<Arc<Owned>>) -> Self {
        Self(Arc::new(Told { text: text.take(), panic, error }))
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

    /// The error inside, if it is one of type `E`.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.error.as_ref()?.0.as_ref()?.downcast_ref()
    }
}

// `Cause` itself is no `std::error::Error`: only so can every error become one.
impl<E: StdError + Send + Sync + 'static> From<E> for Cause {
    fn from(error: E) -> Self {
        let mut text = Text::default();
        text.add_error(&error);
        Self::new(text, false, Some(Arc::new(Owned(Some(Box::new(error))))))
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
