//! One table and one value of what `scripts/measure-gpu.sh` left in a folder.
//!
//! `about.json`, `machine.json`, `NAME.full.json`, `NAME.half.json` and `NAME.torch.json`, any of which may be missing, and
//! `parts.tsv`: what was to be done, and what became of it.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::goals::{Goal, PLACES, goals, share_of_torch};
use crate::terminal::{Problem, name};

/// Most bytes of one file.
const MOST: u64 = 16 << 20;
/// The runs of a network, by the word in their files' names.
const RUNS: [&str; 3] = ["full", "half", "torch"];

/// Everything that is there, with the goals.
pub(crate) fn measured(folder: &Path) -> Result<Value, Problem> {
    let mut networks = Map::new();
    let mut machine = object(&folder.join("machine.json"))?;
    for network in networks_in(folder)? {
        let mut runs = Map::new();
        for run in RUNS {
            let mut value = object(&folder.join(format!("{network}.{run}.json")))?;
            if run != "torch" && machine.is_null() && !value.is_null() {
                machine = json!({ "machine": value["machine"], "yardsticks": value["yardsticks"] });
            }
            runs.insert(run.into(), if run == "torch" { value } else { value["network"].take() });
        }
        networks.insert(network, runs.into());
    }
    let about = object(&folder.join("about.json"))?;
    let mut all =
        json!({ "about": about, "machine": machine, "networks": networks, "parts": parts(folder)? });
    let goals = goals(&all).iter().map(goal).collect();
    all["goals"] = Value::Array(goals);
    Ok(all)
}

/// Names of the networks of which there is a file, sorted.
fn networks_in(folder: &Path) -> Result<Vec<String>, Problem> {
    let files = std::fs::read_dir(folder).map_err(|error| format!("--table {}: {error}", name(folder)))?;
    let mut names = Vec::new();
    for file in files {
        let file = file?.file_name().to_string_lossy().into_owned();
        let is_of = |run: &str| file.strip_suffix(&format!(".{run}.json")).map(str::to_owned);
        names.extend(RUNS.into_iter().find_map(is_of));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// What a file holds; nothing where there is none, or its writer was ended before it wrote.
fn object(path: &Path) -> Result<Value, Problem> {
    if !std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(Value::Null);
    }
    let bytes = gapless::file::read(path, MOST)?;
    let object: Map<String, Value> =
        serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", name(path)))?;
    Ok(object.into())
}

/// Every part, and what became of it.
fn parts(folder: &Path) -> Result<Vec<Value>, Problem> {
    let path = folder.join("parts.tsv");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = String::from_utf8(gapless::file::read(&path, MOST)?)?;
    let part = |line: &str| {
        let (part, outcome) = line.split_once('\t')?;
        Some(json!({ "part": part, "outcome": outcome }))
    };
    Ok(text.lines().filter_map(part).collect())
}

fn goal(goal: &Goal) -> Value {
    let Goal { what, share, wanted } = goal;
    json!({ "goal": what, "share": share, "wanted": wanted, "verdict": goal.verdict() })
}

/// The same for people, as Markdown.
pub(crate) fn markdown(all: &Value) -> String {
    let about = &all["machine"]["machine"];
    let word = |value: &Value| value.as_str().map_or("unknown".to_owned(), str::to_owned);
    let title = format!(
        "# gapless {} on {} ({})\n\nDriver {}, measured {}, commit {}.",
        word(&about["gapless"]),
        word(&about["device"]["name"]),
        word(&about["device"]["kind"]),
        word(&about["driver"]),
        word(&all["about"]["date"]),
        word(&all["about"]["commit"]),
    );
    [title, goals_table(all), yardsticks_table(all), networks_table(all), parts_table(all)].join("\n\n")
}

fn table(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let heading: Vec<String> = heading.iter().map(ToString::to_string).collect();
    let rule = format!("|{}", "---|".repeat(heading.len()));
    let rows = rows.into_iter().map(|row| line(&row));
    [line(&heading), rule].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// A number with so many places, or a dash.
fn number(value: &Value, scale: f64, places: usize) -> String {
    value.as_f64().map_or("-".into(), |number| format!("{:.places$}", number * scale))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn goals_table(all: &Value) -> String {
    let row = |goal: &Value| {
        let [share, wanted] = [&goal["share"], &goal["wanted"]].map(|value| number(value, 1.0, 2));
        vec![text(&goal["goal"]), share, wanted, text(&goal["verdict"])]
    };
    table(&["goal", "is", "wanted", "verdict"], list(&all["goals"]).iter().map(row))
}

fn yardsticks_table(all: &Value) -> String {
    let yardsticks = &all["machine"]["yardsticks"];
    let [normalize, product] = ["normalize", "product"].map(|kernel| &yardsticks[kernel]);
    let row = |what: &str, value: &Value, unit: &str, share: &Value| {
        vec![what.to_owned(), format!("{} {unit}", number(value, 1e-9, 1)), number(share, 1.0, 2)]
    };
    let none = Value::Null;
    let rows = [
        row("copy", &yardsticks["copy"], "GB/s", &none),
        row("upload", &yardsticks["upload"], "GB/s", &none),
        row("readback", &yardsticks["readback"], "GB/s", &none),
        row("normalisation", &normalize["bytes_per_second"], "GB/s", &normalize["share_of_copy"]),
        row("multiply-adds alone, f32", &yardsticks["multiply_adds"], "GMA/s", &none),
        row(
            "product of matrices",
            &product["multiply_adds_per_second"],
            "GMA/s",
            &product["share_of_multiply_adds"],
        ),
    ];
    table(&["device", "reaches", "share"], rows)
}

/// A line for each network, batch and way to run it.
fn networks_table(all: &Value) -> String {
    let networks = all["networks"].as_object().into_iter().flatten();
    let rows = networks.flat_map(|(name, runs)| {
        let ours = [("full", "gapless, f32"), ("half", "gapless, halves")];
        let ours = ours.into_iter().flat_map(move |(run, way)| {
            list(&runs[run]["batches"]).iter().map(move |row| line(all, name, run, (way, row)))
        });
        let torch = list(&runs["torch"]["rows"]).iter().map(move |row| {
            let way = format!("PyTorch {}, {}", text(&runs["torch"]["torch"]), text(&row["way"]));
            line(all, name, "torch", (&way, row))
        });
        ours.chain(torch)
    });
    let [host, device, torch] = ["from the host/s", "on the device/s", "of eager f32"];
    let heading = ["network", "way", "batch", host, torch, device, torch, "of multiply-adds"];
    let note = "Images lie on the host before and results after (bytes go up), or both on the device. PyTorch runs in f32 \
                without TF32 unless the row says otherwise. On the device, gapless counts its copies of bytes and results.";
    format!("{}\n\n{note}", table(&heading, rows))
}

fn line(all: &Value, name: &str, run: &str, (way, row): (&str, &Value)) -> Vec<String> {
    let batch = row["batch"].as_u64().unwrap_or(0);
    let mut cells = vec![name.to_owned(), way.to_owned(), batch.to_string()];
    for (_, key) in PLACES {
        let share = share_of_torch(&all["machine"], &all["networks"][name], batch, key);
        let share = share.filter(|_| run == "full");
        cells.extend([number(&row[key], 1.0, 1), number(&json!(share), 1.0, 2)]);
    }
    cells.push(number(&row["share_of_multiply_adds"], 1.0, 2));
    cells
}

fn parts_table(all: &Value) -> String {
    let row = |part: &Value| vec![text(&part["part"]), text(&part["outcome"])];
    table(&["part", "outcome"], list(&all["parts"]).iter().map(row))
}
