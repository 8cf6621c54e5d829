//! Laws of who needs whom: no large circles of files, and inside the engine no room that needs a higher one.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Circle, Graph};
use crate::sources;

/// Files that may need each other: what is read together is understood together.
const LARGEST_CIRCLE: usize = 4;

/// Circles that are larger today, by the first folder: how many files each has, the largest first. They may only
/// shrink, and a circle that has become smaller is to be written down here.
const LARGER: &[(&str, &[usize])] = &[("kernel", &[6])];

/// Rooms of the engine on their floors, the lowest first. A room may use rooms on floors below its own only.
const ROOMS: &[&[&str]] = &[
    &["guard"],
    &["seam"],
    &["settings"],
    &["ledger"],
    &["watch", "measure", "auto"],
    &["road"],
    &["outlet"],
    &["start"],
];

/// Whether every file of the engine stands in one of its rooms.
const EVERY_FILE_HAS_A_ROOM: bool = true;

fn graph() -> Graph {
    let sources = sources("src", "rs");
    Graph::new(sources.iter().map(|source| (source.name.as_str(), source.text.as_str())))
}

/// The folder of `src/` that a file belongs to, or the name of the file.
fn folder(name: &str) -> &str {
    name.trim_start_matches("src/").split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

#[test]
fn no_more_than_four_files_need_each_other() {
    let mut found: BTreeMap<String, Vec<Circle>> = BTreeMap::new();
    for circle in graph().circles().into_iter().filter(|circle| circle.len() > LARGEST_CIRCLE) {
        let first = circle.files().next().map(folder).unwrap_or_default().to_owned();
        found.entry(first).or_default().push(circle);
    }
    let mut wrong = String::new();
    let folders = found.keys().map(String::as_str).chain(LARGER.iter().map(|(folder, _)| *folder));
    for folder in folders.collect::<BTreeSet<_>>() {
        let circles = found.get(folder).map(Vec::as_slice).unwrap_or_default();
        let mut sizes: Vec<usize> = circles.iter().map(Circle::len).collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        let known = LARGER.iter().find(|(name, _)| *name == folder).map_or(&[][..], |(_, sizes)| *sizes);
        if sizes != known {
            let said: String = circles.iter().map(Circle::to_string).collect();
            wrong += &format!("src/{folder} has circles of {sizes:?} files and not of {known:?}\n{said}");
        }
    }
    assert!(
        wrong.is_empty(),
        "A larger circle is to be broken, a smaller one to be written down in LARGER:\n{wrong}"
    );
}

/// The room of the engine in which a file stands, and its floor.
fn room(name: &str) -> Option<(&str, usize)> {
    let inside = name.strip_prefix("src/engine/")?;
    let room = inside.split('/').next()?.trim_end_matches(".rs");
    let floor = ROOMS.iter().position(|floor| floor.contains(&room))?;
    Some((room, floor))
}

/// Needs that go up, or across between two rooms of one floor.
fn upward<'a>(needs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    let goes_up = |(from, to): &(&str, &str)| match (room(from), room(to)) {
        (Some((own, floor)), Some((other, needed))) => own != other && needed >= floor,
        _ => false,
    };
    needs.into_iter().filter(goes_up).collect()
}

#[test]
fn no_room_of_the_engine_needs_a_higher_one() {
    let graph = graph();
    let found = upward(graph.needs());
    assert!(found.is_empty(), "these need a room that is not below their own: {found:?}");
}

#[test]
fn a_need_that_goes_up_or_across_is_found() {
    let needs = [
        ("src/engine/start/plan.rs", "src/engine/road/line.rs"),
        ("src/engine/auto.rs", "src/engine/ledger/tokens.rs"),
        ("src/engine/road.rs", "src/engine/road/line.rs"),
        ("src/engine/road/line.rs", "src/engine/outlet.rs"),
        ("src/engine/auto/learn.rs", "src/engine/watch.rs"),
        ("src/pipeline/run.rs", "src/engine/start.rs"),
    ];
    assert_eq!(upward(needs), needs[3..5]);
}

#[test]
fn every_file_of_the_engine_stands_in_a_room() {
    let homeless =
        |name: &str| name.starts_with("src/engine/") && !name.contains("/tests") && room(name).is_none();
    let sources = sources("src", "rs");
    let found: Vec<&str> =
        sources.iter().map(|source| source.name.as_str()).filter(|name| homeless(name)).collect();
    assert_eq!(
        found.is_empty(),
        EVERY_FILE_HAS_A_ROOM,
        "where all files have a room, tests/house/circles.rs is to say so; these have none: {found:?}"
    );
}
