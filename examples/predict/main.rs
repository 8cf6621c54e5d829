//! What a run will take, before it is started.
//!
//! ```text
//! cargo run --release --example predict -- --documents 1e9 --batch-size 32 --cpu-seconds 0.01 \
//!     --gpu-seconds 0.02 --workers 4 --devices 10000 --json
//! cargo run --release --example predict -- --sample --documents 1e6 --device software
//! ```
//!
//! From costs that are given, or measured: `--sample` runs some photos of the repository through the loader and
//! a small network on the device there is, and predicts the whole from what they cost. Each device is a pipeline
//! of its own, with workers of its own, on an equal share of the documents. With `--json` stdout is one object
//! and nothing else.

#[path = "../common/arguments.rs"]
mod arguments;
#[path = "../common/made.rs"]
mod made;
#[path = "../common/network.rs"]
mod network;
mod options;
mod sample;
#[path = "../common/terminal.rs"]
mod terminal;

use std::process::ExitCode;

use gapless::predict;
use gapless::predict::{Costs, Prediction, Settings};
use options::Options;
use serde_json::{Value, json};
use terminal::{Problem, print};

fn main() -> ExitCode {
    terminal::exit("predict", run())
}

fn run() -> Result<(), Problem> {
    let Some(options) = options::parse()? else { return Ok(()) };
    let costs = if options.sample { sample::measure(&options)? } else { options.costs };
    let prediction = predict(&costs, &options.settings)?;
    if options.json {
        print(&object(&options, &costs, &prediction)?.to_string())?;
    } else {
        print(&text(&costs, &options.settings, &prediction))?;
    }
    Ok(())
}

fn object(options: &Options, costs: &Costs, prediction: &Prediction) -> Result<Value, Problem> {
    let mut all = json!({
        "seconds": prediction.seconds,
        "bound": prediction.bound_s,
        "bottleneck": prediction.bottleneck,
        "first_result_s": prediction.first_result_s,
        "tokens": prediction.tokens,
        "batches": prediction.batches,
        "cpu_busy": prediction.cpu_busy,
        "gpu_busy": prediction.gpu_busy,
        "fill_s": prediction.fill_s,
        "stalls_s": prediction.stalls_s,
        "drain_s": prediction.drain_s,
    });
    if let Some(bytes) = prediction.memory_bytes {
        all["memory_bytes"] = bytes.into();
    }
    if options.sample {
        all["costs"] = serde_json::to_value(costs)?;
    }
    Ok(all)
}

fn text(costs: &Costs, settings: &Settings, prediction: &Prediction) -> String {
    let Prediction { seconds, bound_s, first_result_s, bottleneck, tokens, batches, .. } = *prediction;
    let memory =
        prediction.memory_bytes.map(|bytes| format!(", {:.1} MiB of items", bytes as f64 / 1048576.0));
    format!(
        "{seconds:.4} s for {} documents in {batches} batches on {} × {} workers and a device\n  \
         bound  {bound_s:.4} s by the {bottleneck}, {above:.2} % below; first result after {first_result_s:.4} s\n  \
         busy   CPU {cpu:.1} %, GPU {gpu:.1} %; {fill:.4} s of fill, {stalls:.4} s of stalls, {drain:.4} s of drain\n  \
         memory {tokens} tokens a pipeline{memory}\n  \
         costs  a document {document:.6} s on a worker; a batch {launch:.6} s + {item:.6} s an item on a device",
        settings.documents,
        settings.pipelines,
        settings.workers,
        above = if seconds > 0.0 { (1.0 - bound_s / seconds) * 100.0 } else { 0.0 },
        cpu = prediction.cpu_busy * 100.0,
        gpu = prediction.gpu_busy * 100.0,
        fill = prediction.fill_s,
        stalls = prediction.stalls_s,
        drain = prediction.drain_s,
        memory = memory.unwrap_or_default(),
        document = costs.cpu,
        launch = costs.gpu_launch,
        item = costs.gpu_item,
    )
}
