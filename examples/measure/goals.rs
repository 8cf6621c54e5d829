//! Which goals a machine reaches, from everything that was measured on it. Nothing is measured here.

use serde_json::Value;

/// The batch size at which networks have goals.
const BATCH: u64 = 64;
/// Networks, and how many items a second of PyTorch's (eager, f32, without TF32) each is to reach.
const NETWORKS: [(&str, f64); 3] = [("efficientnet-lite0", 1.0), ("resnet50", 1.0), ("vit_b_16", 0.7)];
/// The row of PyTorch that is compared with.
const PEER: &str = "eager f32";
/// How many times as fast as in f32 a network is to be where it may compute in halves.
const HALVES: f64 = 1.7;
/// Where the images are at first and the results at last, and by what name rows know it.
pub(crate) const PLACES: [(&str, &str); 2] =
    [("from the host", "items_per_second"), ("on the device", "device_items_per_second")];

/// A share that is to be reached.
#[derive(Debug, PartialEq)]
pub(crate) struct Goal {
    pub(crate) what: String,
    /// `None` where it was not measured, or what was measured cannot be compared.
    pub(crate) share: Option<f64>,
    pub(crate) wanted: f64,
}

impl Goal {
    pub(crate) fn verdict(&self) -> &'static str {
        match self.share {
            Some(share) if share >= self.wanted => "reached",
            Some(_) => "missed",
            None => "not measured",
        }
    }
}

/// All goals, of `{"machine": …, "networks": {NAME: {"full": …, "half": …, "torch": …}}}`: what `measure --kernels`,
/// `measure --network` and `scripts/compare-torch.py` wrote.
pub(crate) fn goals(measured: &Value) -> Vec<Goal> {
    let machine = &measured["machine"];
    let yardsticks = &machine["yardsticks"];
    let normalize = Goal {
        what: "normalisation, of the copy".into(),
        share: yardsticks["normalize"]["share_of_copy"].as_f64(),
        wanted: 0.7,
    };
    let product = Goal {
        what: "product of matrices, of multiply-adds alone".into(),
        share: yardsticks["product"]["share_of_multiply_adds"].as_f64(),
        wanted: 0.6,
    };
    let mut goals = vec![normalize, product];
    for (name, wanted) in NETWORKS {
        let runs = &measured["networks"][name];
        goals.extend(PLACES.map(|(place, key)| Goal {
            what: format!("{name} at batch {BATCH}, {place}, of PyTorch {PEER}"),
            share: share_of_torch(machine, runs, BATCH, key),
            wanted,
        }));
        goals.extend(PLACES.map(|(place, key)| Goal {
            what: format!("{name} at batch {BATCH}, {place}, halves of f32"),
            share: share_of_full(machine, runs, key),
            wanted: HALVES,
        }));
    }
    goals
}

/// What is reached of PyTorch, if both ran on the same kind of device.
pub(crate) fn share_of_torch(machine: &Value, runs: &Value, batch: u64, key: &str) -> Option<f64> {
    let kind = machine["machine"]["device"]["kind"].as_str()?;
    let on_processor = matches!(kind, "twin" | "software");
    let torch = &runs["torch"];
    if (torch["kind"] == "cpu") != on_processor {
        return None;
    }
    share(rate(&runs["full"], batch, key), torch_rate(torch, batch, PEER, key))
}

/// What halves bring, where the device computes with them.
fn share_of_full(machine: &Value, runs: &Value, key: &str) -> Option<f64> {
    let about = &machine["machine"];
    if about["device"]["kind"] == "twin" || about["limits"]["f16"] != true {
        return None;
    }
    share(rate(&runs["half"], BATCH, key), rate(&runs["full"], BATCH, key))
}

fn share(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    Some(one? / other?).filter(|share| share.is_finite())
}

/// Items a second of a network at a batch size.
fn rate(network: &Value, batch: u64, key: &str) -> Option<f64> {
    network["batches"].as_array()?.iter().find(|row| row["batch"] == batch)?[key].as_f64()
}

/// Items a second of PyTorch, run this way, at a batch size.
fn torch_rate(torch: &Value, batch: u64, way: &str, key: &str) -> Option<f64> {
    let rows = torch["rows"].as_array()?;
    rows.iter().find(|row| row["batch"] == batch && row["way"] == way)?[key].as_f64()
}
