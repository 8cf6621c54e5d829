//! Which source file needs which: the files of `src/`, joined by what they name of each other.
//!
//! - A name is followed to the file that defines it. `super::Name` leads to the parent's file, unless the parent
//!   has it from elsewhere itself: then it leads there.
//! - A declaration of a module is a table of contents and no need. So is `pub use`, unless the file's own code
//!   uses the name as well.
//! - What exists in tests only is left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::uses::{File, Named, Path, Use, parse};

/// The files of the crate, without those that exist in tests only.
pub(crate) struct Graph {
    files: Vec<Known>,
    modules: BTreeMap<Path, usize>,
    /// Which files each file needs.
    needs: Vec<BTreeSet<usize>>,
}

struct Known {
    name: String,
    module: Path,
    file: File,
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    module: Path,
    /// Whether it is a thing in that module, and not the module itself.
    is_item: bool,
}

/// Modules from the crate's root, for a file of `src/`.
fn module(name: &str) -> Path {
    let inside = name.trim_start_matches("src/").trim_end_matches(".rs");
    if inside == "lib" { Path::new() } else { inside.split('/').map(str::to_owned).collect() }
}

fn below(module: &[String], name: &str) -> Path {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

impl Graph {
    /// From the names and texts of the files in `src/`.
    pub(crate) fn new<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let known =
            |(name, text): (&str, &str)| Known { name: name.into(), module: module(name), file: parse(text) };
        let mut files: Vec<Known> = sources.into_iter().map(known).collect();
        let in_tests = |known: &Known| {
            known.file.tests.iter().map(|name| below(&known.module, name)).collect::<Vec<_>>()
        };
        let tests: Vec<Path> = files.iter().flat_map(in_tests).collect();
        let is_test = |module: &Path| {
            tests.iter().any(|test| module.starts_with(test)) || module.iter().any(|name| name == "tests")
        };
        files.retain(|known| !is_test(&known.module));
        let modules = files.iter().enumerate().map(|(file, known)| (known.module.clone(), file)).collect();
        let mut graph = Self { files, modules, needs: Vec::new() };
        graph.needs = (0..graph.files.len()).map(|file| graph.needs_of(file)).collect();
        graph
    }

    /// Every need, as the names of two files.
    pub(crate) fn needs(&self) -> impl Iterator<Item = (&str, &str)> {
        let name = |file: usize| self.files[file].name.as_str();
        let from = self.needs.iter().enumerate();
        from.flat_map(move |(file, needs)| needs.iter().map(move |need| (name(file), name(*need))))
    }

    fn needs_of(&self, file: usize) -> BTreeSet<usize> {
        let Known { file: said, .. } = &self.files[file];
        let imports = said.uses.iter().filter_map(|used| self.import(file, used));
        let written =
            said.paths.iter().filter_map(|path| Some(self.holder(&self.locate(file, path, 0)?.module)));
        imports.chain(written).filter(|need| *need != file).collect()
    }

    /// The file that a `use` statement makes this one need.
    fn import(&self, file: usize, used: &Use) -> Option<usize> {
        let said = &self.files[file].file;
        let Place { module, is_item } = self.locate(file, &used.path, 0)?;
        let only_shown = used.public && !said.names.contains(&used.name);
        // A module that is brought in is needed for what is taken from it, which is followed by itself.
        let goes_on = !is_item && said.paths.iter().any(|named| named.path[0] == used.name);
        (!only_shown && !goes_on).then(|| self.holder(&module))
    }

    /// Where a path leads that stands in this file; `None` where it leads out of the crate.
    fn locate(&self, file: usize, named: &Named, steps: usize) -> Option<Place> {
        let here: Path = self.files[file].module.iter().chain(&named.within).cloned().collect();
        match named.path[0].as_str() {
            "crate" => self.walk(Path::new(), &named.path[1..], steps),
            "self" => self.walk(here, &named.path[1..], steps),
            "super" => {
                let ups = named.path.iter().take_while(|name| *name == "super").count();
                self.walk(here[..here.len().checked_sub(ups)?].to_vec(), &named.path[ups..], steps)
            }
            first if self.is_module(&below(&here, first)) => self.walk(here, &named.path, steps),
            first => {
                let bound = self.bound(file, first).filter(|bound| bound.path != *named)?;
                self.follow(file, bound, &named.path[1..], steps)
            }
        }
    }

    /// Goes on from a module, name by name.
    fn walk(&self, module: Path, rest: &[String], steps: usize) -> Option<Place> {
        let Some(name) = rest.first() else { return Some(Place { module, is_item: false }) };
        let inner = below(&module, name);
        if self.is_module(&inner) {
            return self.walk(inner, &rest[1..], steps);
        }
        let file = self.holder(&module);
        match self.bound(file, name) {
            Some(bound) => self.follow(file, bound, &rest[1..], steps),
            None => Some(Place { module, is_item: true }),
        }
    }

    /// Goes on from where a name comes from that a `use` statement brought into this file.
    fn follow(&self, file: usize, bound: &Use, rest: &[String], steps: usize) -> Option<Place> {
        // A macro is brought into its own module by its own name.
        if steps > self.files.len() || bound.path.path == [bound.name.clone()] {
            return Some(Place { module: self.files[file].module.clone(), is_item: true });
        }
        let place = self.locate(file, &bound.path, steps + 1)?;
        if place.is_item { Some(place) } else { self.walk(place.module, rest, steps + 1) }
    }

    fn bound(&self, file: usize, name: &str) -> Option<&Use> {
        self.files[file].file.uses.iter().find(|used| used.name == name)
    }

    fn is_module(&self, module: &Path) -> bool {
        let file = self.holder(module);
        let within = &module[self.files[file].module.len()..];
        within.is_empty() || self.files[file].file.inline.contains(within)
    }

    /// The file in which a module stands.
    fn holder(&self, module: &[String]) -> usize {
        let file = (0..=module.len()).rev().find_map(|length| self.modules.get(&module[..length]));
        *file.expect("the crate has a root")
    }

    /// Files that need each other, directly or by way of others: each circle with the needs within it.
    pub(crate) fn circles(&self) -> Vec<Circle> {
        let reached: Vec<BTreeSet<usize>> = (0..self.files.len()).map(|file| self.reach(file)).collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for file in 0..self.files.len() {
            let together: BTreeSet<usize> =
                reached[file].iter().copied().filter(|other| reached[*other].contains(&file)).collect();
            if together.len() > 1 && seen.insert(together.clone()) {
                circles.push(self.circle(&together));
            }
        }
        circles
    }

    /// Every file that this one needs, directly or by way of others.
    fn reach(&self, file: usize) -> BTreeSet<usize> {
        let (mut reached, mut ahead) = (BTreeSet::new(), vec![file]);
        while let Some(next) = ahead.pop() {
            ahead.extend(self.needs[next].iter().copied().filter(|need| reached.insert(*need)));
        }
        reached
    }

    fn circle(&self, files: &BTreeSet<usize>) -> Circle {
        let name = |file: &usize| self.files[*file].name.clone();
        let within = |file: &usize| self.needs[*file].intersection(files).map(name).collect();
        Circle { needs: files.iter().map(|file| (name(file), within(file))).collect() }
    }
}

/// Files that need each other, and which of the others each needs.
pub(crate) struct Circle {
    needs: BTreeMap<String, Vec<String>>,
}

impl Circle {
    pub(crate) fn len(&self) -> usize {
        self.needs.len()
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.needs.keys().map(String::as_str)
    }
}

impl std::fmt::Display for Circle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} files need each other:", self.len())?;
        self.needs.iter().try_for_each(|(file, needs)| writeln!(f, "  {file} needs {}", needs.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate with these files, each with its text, and what each needs.
    fn check(files: &[(&str, &str)], expected: &[(&str, &str)]) {
        let files: Vec<(String, &str)> =
            files.iter().map(|(name, text)| (format!("src/{name}.rs"), *text)).collect();
        let graph = Graph::new(
            [("src/lib.rs", "")].into_iter().chain(files.iter().map(|(name, text)| (name.as_str(), *text))),
        );
        let short = |name: &str| name.trim_start_matches("src/").trim_end_matches(".rs").to_owned();
        let found: Vec<_> = graph.needs().map(|(from, to)| (short(from), short(to))).collect();
        let found: Vec<_> = found.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_name_leads_to_the_file_that_defines_it() {
        check(
            &[("a", "use crate::b::c::{D, E};"), ("b", "mod c;"), ("b/c", "use super::F;")],
            &[("a", "b/c"), ("b/c", "b")],
        );
        check(
            &[("a", ""), ("a/b", "use super::c::D; use super::super::e::F;"), ("a/c", ""), ("e", "")],
            &[("a/b", "a/c"), ("a/b", "e")],
        );
        check(&[("a", "use self::b::C;"), ("a/b", "")], &[("a", "a/b")]);
    }

    #[test]
    fn a_name_that_is_shown_elsewhere_leads_to_where_it_comes_from() {
        check(&[("a", "pub use self::b::C;"), ("a/b", ""), ("d", "use crate::a::C;")], &[("d", "a/b")]);
        check(
            &[("a", "use crate::d::E; fn f(_: E) {}"), ("a/b", "use super::E;"), ("d", "")],
            &[("a", "d"), ("a/b", "d")],
        );
        check(&[("a", "use std::rc::Rc; fn f(_: Rc<u8>) {}"), ("a/b", "use super::Rc;")], &[]);
        check(&[("a", "pub use self::b as x;"), ("a/b", ""), ("c", "use crate::a::x::Y;")], &[("c", "a/b")]);
    }

    #[test]
    fn showing_a_name_is_a_need_only_where_the_file_uses_it() {
        check(&[("a", "pub use self::b::C;"), ("a/b", "")], &[]);
        check(&[("a", "pub use self::b::C; fn f() -> C { C }"), ("a/b", "")], &[("a", "a/b")]);
    }

    #[test]
    fn paths_in_code_are_needs_too() {
        check(&[("a", "fn f() { crate::b::g() }"), ("b", "")], &[("a", "b")]);
        check(&[("a", "mod b; fn f() { b::g() }"), ("a/b", "")], &[("a", "a/b")]);
        check(
            &[("a", "use super::b; fn f() { b::C::new() }"), ("b", "pub use self::c::C;"), ("b/c", "")],
            &[("a", "b/c")],
        );
    }

    #[test]
    fn modules_within_a_file_are_that_file() {
        check(
            &[("a", "mod b { use super::C; use crate::d::E; } fn f() { b::g() }"), ("d", "")],
            &[("a", "d")],
        );
    }

    #[test]
    fn a_macro_that_is_brought_into_its_own_module_is_there() {
        check(
            &[
                ("a", "macro_rules! m { () => { $crate::b::C } } pub(crate) use m;"),
                ("b", "use super::a::m;"),
            ],
            &[("a", "b"), ("b", "a")],
        );
    }

    #[test]
    fn files_that_exist_in_tests_only_are_left_out() {
        check(
            &[
                ("a", "#[cfg(test)] mod b; #[cfg(test)] use self::b::C;"),
                ("a/b", "use crate::d::E;"),
                ("d", ""),
                ("d/tests", "use super::F;"),
            ],
            &[],
        );
    }

    #[test]
    fn files_that_need_each_other_are_a_circle() {
        let files = [
            ("src/lib.rs", ""),
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "use crate::c::C;"),
            ("src/c.rs", "use crate::a::A;"),
            ("src/d.rs", "use crate::a::A;"),
            ("src/e.rs", "mod f; use self::f::X;"),
            ("src/e/f.rs", "use super::Y;"),
        ];
        let circles = Graph::new(files).circles();
        let named: Vec<Vec<&str>> = circles.iter().map(|circle| circle.files().collect()).collect();
        assert_eq!(named, [vec!["src/a.rs", "src/b.rs", "src/c.rs"], vec!["src/e.rs", "src/e/f.rs"]]);
        assert!(circles[1].to_string().contains("src/e.rs needs src/e/f.rs"));
    }
}
