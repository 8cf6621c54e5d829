//! Tags: what else is known of a document, as JSON has it.

use std::collections::BTreeMap;

/// Tags by their names, in the order of the names.
pub type Tags = BTreeMap<String, Value>;

/// The value of a tag: what JSON can say.
///
/// ```
/// use gapless::doc::{Doc, Value};
/// let mut doc = Doc::new();
/// doc.tags.insert("stars".into(), 4.into());
/// doc.tags.insert("colors".into(), Value::List(vec!["red".into(), "blue".into()]));
/// assert_eq!(doc.tag("colors__1"), Some(&Value::Text("blue".into())));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number. As in JSON there is one kind.
    Number(f64),
    /// A text.
    Text(String),
    /// Values in their order.
    List(Vec<Value>),
    /// Values by their names.
    Map(Tags),
}

impl Value {
    /// The value at a path of names, or of places in lists, that are divided by `__`.
    pub(crate) fn at<'a>(tags: &'a Tags, path: &str) -> Option<&'a Self> {
        let mut parts = path.split("__");
        let first = tags.get(parts.next()?)?;
        parts.try_fold(first, |value, part| match value {
            Self::Map(tags) => tags.get(part),
            Self::List(values) => values.get(part.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// A text that two values share if, and only if, they are equal.
    pub(crate) fn key(&self) -> String {
        match self {
            // Zero has two signs, and they are equal.
            Self::Number(number) => format!("{:?}", number + 0.0),
            other => format!("{other:?}"),
        }
    }
}

macro_rules! values {
    ($($from:ty => $variant:ident($make:expr)),*) => { $(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant($make(value))
            }
        }
    )* };
}

values!(
    bool => Bool(std::convert::identity),
    f64 => Number(std::convert::identity),
    f32 => Number(f64::from),
    i32 => Number(f64::from),
    u32 => Number(f64::from),
    &str => Text(str::to_owned),
    String => Text(std::convert::identity),
    Vec<Value> => List(std::convert::identity),
    Tags => Map(std::convert::identity)
);
