//! What a source file names of others: its `use` statements, and paths that are written out in its code.

use std::collections::BTreeSet;

use crate::tokens::{Token, tokens, without_tests};

/// Names from the outermost module to the innermost thing.
pub(crate) type Path = Vec<String>;

/// What one file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub(crate) uses: Vec<Use>,
    /// Paths of two names or more, outside of `use` statements.
    pub(crate) paths: Vec<Named>,
    /// Names that its code consists of, outside of `use` statements.
    pub(crate) names: BTreeSet<String>,
    /// Modules that are written out within it, from the file's own.
    pub(crate) inline: BTreeSet<Path>,
    /// Modules below it that exist in tests only.
    pub(crate) tests: Vec<String>,
}

/// One name that a `use` statement brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) path: Named,
    /// The name that it has here; `*` for everything in it.
    pub(crate) name: String,
    /// Whether others can take it from here: `pub use`, to whomever.
    pub(crate) public: bool,
}

/// A path, and the module within the file in which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) within: Path,
    pub(crate) path: Path,
}

/// Reads a source file.
pub(crate) fn parse(text: &str) -> File {
    let (tokens, tests) = without_tests(&tokens(text));
    let mut reader = Reader { tokens: &tokens, at: 0, within: Vec::new(), file: File::default() };
    reader.read();
    File { tests, ..reader.file }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// Modules that are open, and at which depth of braces; names for what other braces hold are empty.
    within: Vec<Option<String>>,
    file: File,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut public = false;
        while let Some(token) = self.tokens.get(self.at) {
            match token {
                Token::Name(name) if name == "use" && !self.comes(1, '<') => self.use_statement(public),
                Token::Name(name) if name == "mod" => self.module(),
                Token::Name(name) if name == "pub" => {
                    self.visibility();
                    public = true;
                    continue;
                }
                Token::Name(_) => self.path(),
                Token::Sign('{') => {
                    self.within.push(None);
                    self.at += 1;
                }
                Token::Sign('}') => {
                    self.within.pop();
                    self.at += 1;
                }
                _ => self.at += 1,
            }
            public = false;
        }
    }

    fn comes(&self, offset: usize, sign: char) -> bool {
        self.tokens.get(self.at + offset).is_some_and(|token| token.is(sign))
    }

    fn name_at(&self, offset: usize) -> Option<&str> {
        self.tokens.get(self.at + offset).and_then(Token::name)
    }

    fn here(&self) -> Path {
        self.within.iter().flatten().cloned().collect()
    }

    /// `pub`, or `pub(crate)` and its like.
    fn visibility(&mut self) {
        self.at += 1;
        if self.comes(0, '(')
            && self.name_at(1).is_some_and(|name| ["crate", "super", "self", "in"].contains(&name))
        {
            while !self.comes(0, ')') && self.at < self.tokens.len() {
                self.at += 1;
            }
            self.at += 1;
        }
    }

    /// `mod name {` opens a module within the file; `mod name;` is another file, and no import.
    fn module(&mut self) {
        let Some(name) = self.name_at(1).map(str::to_owned) else {
            self.at += 1;
            return;
        };
        if self.comes(2, '{') {
            self.within.push(Some(name));
            self.file.inline.insert(self.here());
        }
        self.at += 3;
    }

    fn use_statement(&mut self, public: bool) {
        self.at += 1;
        self.tree(&mut Vec::new(), public);
    }

    /// A path with whatever braces stand at its end.
    fn tree(&mut self, before: &mut Path, public: bool) {
        let depth = before.len();
        loop {
            match self.tokens.get(self.at) {
                Some(Token::Joint) => self.at += 1,
                Some(Token::Sign('*')) => {
                    self.at += 1;
                    self.bring_in(before.clone(), "*".into(), public);
                    break;
                }
                Some(Token::Sign('{')) => {
                    self.at += 1;
                    while !self.comes(0, '}') && self.at < self.tokens.len() {
                        self.tree(before, public);
                        self.at += usize::from(self.comes(0, ','));
                    }
                    self.at += 1;
                    break;
                }
                Some(Token::Name(name)) => {
                    before.push(name.clone());
                    self.at += 1;
                    if self.tokens.get(self.at) != Some(&Token::Joint) {
                        self.leaf(before.clone(), public);
                        break;
                    }
                }
                _ => {
                    self.at += 1;
                    break;
                }
            }
        }
        before.truncate(depth);
    }

    /// The last name of a path: `self` stands for the name before it, and `as` gives another.
    fn leaf(&mut self, mut path: Path, public: bool) {
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if self.name_at(0) == Some("as") {
            name = self.name_at(1).unwrap_or("_").to_owned();
            self.at += 2;
        }
        self.bring_in(path, name, public);
    }

    fn bring_in(&mut self, path: Path, name: String, public: bool) {
        let path = Named { within: self.here(), path };
        self.file.uses.push(Use { path, name, public });
    }

    /// A path that is written out in code, or a single name.
    fn path(&mut self) {
        let mut path = Path::new();
        while let Some(name) = self.name_at(0) {
            path.push(name.to_owned());
            self.at += 1;
            let goes_on = self.tokens.get(self.at) == Some(&Token::Joint) && self.name_at(1).is_some();
            if !goes_on {
                break;
            }
            self.at += 1;
        }
        self.file.names.insert(path[0].clone());
        if path.len() > 1 {
            self.file.paths.push(Named { within: self.here(), path });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(text: &str) -> Vec<(String, String, bool)> {
        let said = |used: &Use| (used.path.path.join("::"), used.name.clone(), used.public);
        parse(text).uses.iter().map(said).collect()
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = uses(text);
        let found: Vec<_> = found.iter().map(|(path, name, _)| (path.as_str(), name.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_use_statement_brings_in_every_name_of_its_braces() {
        check("use crate::a::B;", &[("crate::a::B", "B")]);
        check(
            "use super::{a, b::C, b::{D, e::F}};",
            &[("super::a", "a"), ("super::b::C", "C"), ("super::b::D", "D"), ("super::b::e::F", "F")],
        );
        check("use {a::B, self::c::D,}; use ::e::F;", &[("a::B", "B"), ("self::c::D", "D"), ("e::F", "F")]);
    }

    #[test]
    fn self_stands_for_the_module_and_as_gives_another_name() {
        check("use a::b::{self, C as D, e as _};", &[("a::b", "b"), ("a::b::C", "D"), ("a::b::e", "_")]);
        check("use super::a::*;", &[("super::a", "*")]);
    }

    #[test]
    fn what_others_can_take_from_here_is_told_from_what_they_cannot() {
        let public: Vec<bool> = uses(
            "use a::B; pub use a::C; pub(crate) use a::D; pub(in crate::x) use a::E; pub fn f() {} use a::G;",
        )
        .into_iter()
        .map(|(_, _, public)| public)
        .collect();
        assert_eq!(public, [false, true, true, true, false]);
    }

    #[test]
    fn a_use_statement_within_a_function_counts_too() {
        check("fn f() { use crate::a::B as _; }", &[("crate::a::B", "_")]);
    }

    #[test]
    fn paths_that_are_written_out_are_found() {
        let file = parse("fn f(x: super::a::B<c::D>) -> E { crate::g::h::<I>(x); j }");
        let paths: Vec<String> = file.paths.iter().map(|named| named.path.join("::")).collect();
        assert_eq!(paths, ["super::a::B", "c::D", "crate::g::h"]);
        assert!(file.names.contains("j") && !file.names.contains("B"));
    }

    #[test]
    fn a_module_within_the_file_is_known_and_one_in_another_file_is_no_import() {
        let file = parse("mod a; pub mod b { use super::C; fn f() { d::e() } } use g::H;");
        assert_eq!(file.inline, BTreeSet::from([vec!["b".to_owned()]]));
        let within: Vec<_> = file.uses.iter().map(|used| used.path.within.concat()).collect();
        assert_eq!(within, ["b", ""]);
        assert_eq!(file.paths[0].within, ["b"]);
    }

    #[test]
    fn what_is_there_in_tests_only_names_nobody() {
        let file =
            parse("#[cfg(test)] mod chance; #[cfg(test)] use a::B; #[cfg(test)] mod tests { use super::C; }");
        assert!(file.uses.is_empty() && file.tests == ["chance"]);
    }
}
