//! What may grow without breaking whoever uses it: traits that others do not implement are sealed, and types whose
//! fields or variants are public can get more of them.

use crate::sources;

/// Traits that others implement, or that cannot be reached from outside.
const OPEN_TRAITS: &[(&str, &str)] = &[
    ("CpuStage", "a stage of one's own"),
    ("GpuStage", "a stage of one's own"),
    ("Item", "an item of one's own for a program"),
    ("Kernel", "a kernel of one's own"),
    ("Output", "an output of one's own"),
    ("Photo", "a document of one's own that names a photo"),
    ("IntoRows", "an output of one's own whose rows can be kept"),
    ("Rows", "an output of one's own that has rows"),
    ("Source", "not public"),
    ("Transfer", "a document of one's own for children"),
];

/// Types that others write down with all fields, or match with all variants.
const CLOSED_TYPES: &[(&str, &str)] = &[
    ("Content", "the kinds are those of DocArray, and whoever writes documents writes all of them"),
    ("Dispatch", "a kernel of one's own writes it down"),
    ("Doc", "its fields are those of DocArray, and documents are written down with them"),
    ("Failed", "an item that failed or the end of the run: there is no third"),
    ("Layout", "only the hidden list of kernels shows it"),
    ("Needs", "a kernel of one's own writes it down"),
    ("Score", "its fields are those of DocArray, and documents are written down with them"),
    ("Spec", "a kernel of one's own writes it down"),
    ("Tensor", "the kinds are those of DocArray, and whoever writes documents writes all of them"),
    ("Value", "the kinds are those of DocArray, and whoever writes documents writes all of them"),
    ("Values", "twins of kernels of one's own match it"),
    ("Whole", "it is what it holds"),
];

/// A type or a trait as it is declared, with what stands directly before it.
struct Declared {
    kind: &'static str,
    name: String,
    attributes: String,
    /// From the name on, up to the end of the declaration.
    body: String,
}

/// What of this is public and not hidden from the documentation.
fn declared(text: &str) -> Vec<Declared> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let kinds = ["struct", "enum", "trait"].into_iter();
        let after = |kind: &'static str| Some((kind, line.strip_prefix(&format!("pub {kind} "))?));
        let Some((kind, rest)) = kinds.filter_map(after).next() else { continue };
        let before = lines[..at].iter().rev().take_while(|line| line.starts_with(['#', '/', ' ', ')', ']']));
        let attributes: String = before.filter(|line| !line.starts_with('/')).copied().collect();
        if attributes.contains("doc(hidden)") {
            continue;
        }
        let name = rest.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned();
        // The first line that ends it stands as far to the left as its beginning.
        let ends = |line: &&str| line.starts_with('}') || line.ends_with(';') || line.ends_with("{}");
        let length = 1 + lines[at..].iter().position(ends).expect("a declaration ends");
        found.push(Declared { kind, name, attributes, body: lines[at..at + length].join("\n") });
    }
    found
}

impl Declared {
    /// Whether somebody outside may rely on there being no more of it.
    fn is_open(&self) -> bool {
        match self.kind {
            "trait" => !self.body.split('{').next().unwrap_or_default().contains("Sealed"),
            _ if self.attributes.contains("non_exhaustive") => false,
            "enum" => !self.body.ends_with("{}"),
            _ => {
                let field = |line: &str| line.trim_start().starts_with("pub ") && line.contains(": ");
                self.body.lines().skip(1).any(field) || self.body.contains("(pub ")
            }
        }
    }
}

/// Names of what is open and not on its list, and of what is on a list and not open.
fn wrong<'a>(texts: impl Iterator<Item = &'a str>, traits: &[&str], types: &[&str]) -> Vec<String> {
    let (mut wrong, mut listed) = (Vec::new(), [traits, types].concat());
    for found in texts.flat_map(declared).filter(Declared::is_open) {
        let list = if found.kind == "trait" { traits } else { types };
        if list.contains(&found.name.as_str()) {
            listed.retain(|name| *name != found.name);
        } else {
            wrong.push(format!("the {} {}", found.kind, found.name));
        }
    }
    wrong.extend(listed.into_iter().map(|name| format!("{name}, which stands on a list and is not open")));
    wrong
}

#[test]
fn what_may_grow_can_grow() {
    let sources = sources("src", "rs");
    let texts = sources.iter().filter(|source| {
        !source.name.starts_with("src/onnx/proto")
            && !source.name.starts_with("src/kernel/examples")
            && !source.name.contains("/tests")
    });
    let names = |list: &[(&'static str, &str)]| list.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let wrong = wrong(texts.map(|source| source.text.as_str()), &names(OPEN_TRAITS), &names(CLOSED_TYPES));
    assert!(wrong.is_empty(), "seal it, make it #[non_exhaustive], or list it with its reason: {wrong:#?}");
}

#[test]
fn what_cannot_grow_is_found() {
    let text = "
#[derive(Debug)]
pub enum Color {
    Red,
}

#[non_exhaustive]
pub enum Hue {
    Green,
}

pub struct Point {
    /// Where.
    pub x: f32,
}

pub struct Hidden {
    x: f32,
}

pub struct Known {
    pub x: f32,
}

pub enum Never {}

pub trait Paint {
    fn paint(&self);
}

pub trait Own: sealed::Sealed {}
";
    let found = wrong([text].into_iter(), &["Gone"], &["Known"]);
    let expected = [
        "the enum Color",
        "the struct Point",
        "the trait Paint",
        "Gone, which stands on a list and is not open",
    ];
    assert_eq!(found, expected);
}
