//! Every shader as files under `target/tmp/shaders`, for what `scripts/test.sh` has read them: WGSL for Tint, with what
//! it needs beside it, and SPIR-V for its validator.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use gapless::kernel::{Access, Dispatch, Precision};
use naga::ShaderStage;
use naga::back::spv::{self, ZeroInitializeWorkgroupMemoryMode};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};

use super::translated;

/// What drivers of these versions of Vulkan are given: the version of SPIR-V that wgpu takes for them.
const VERSIONS: [(&str, (u8, u8)); 2] = [("vulkan1.1", (1, 3)), ("vulkan1.3", (1, 6))];

#[test]
fn every_shader_is_written_with_what_it_needs() {
    let files = Files::new("wgsl");
    translated(|dispatch, _, _| {
        let name = files.next(dispatch);
        files.write(&name, "wgsl", dispatch.source.as_bytes());
        files.write(&name, "json", needs(dispatch).as_bytes());
    });
}

#[test]
fn every_shader_translates_to_spir_v() {
    let folders = VERSIONS.map(|(target, version)| (version, Files::new(&format!("spirv/{target}"))));
    translated(|dispatch, module, info| {
        let pipeline =
            spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: "main".into() };
        for (version, files) in &folders {
            let words = spv::write_vec(module, info, &options(dispatch, *version), Some(&pipeline))
                .unwrap_or_else(|error| panic!("{}: {error}", dispatch.variant()));
            let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
            files.write(&files.next(dispatch), "spv", &bytes);
        }
    });
}

/// As wgpu asks for it where a driver does not check bounds.
fn options(dispatch: &Dispatch, lang_version: (u8, u8)) -> spv::Options<'static> {
    let cleared = match dispatch.access {
        Access::Ours => ZeroInitializeWorkgroupMemoryMode::None,
        _ => ZeroInitializeWorkgroupMemoryMode::Polyfill,
    };
    let checked = BoundsCheckPolicy::Restrict;
    spv::Options {
        lang_version,
        bounds_check_policies: BoundsCheckPolicies { index: checked, buffer: checked, ..Default::default() },
        zero_initialize_workgroup_memory: cleared,
        ..Default::default()
    }
}

/// The features of WebGPU and the constants of the pipeline, as JSON.
fn needs(dispatch: &Dispatch) -> String {
    let has = [
        (dispatch.needs.subgroups, "\"subgroups\""),
        (dispatch.needs.precision > Precision::Full, "\"shader-f16\""),
    ];
    let features: Vec<_> = has.into_iter().filter_map(|(has, name)| has.then_some(name)).collect();
    let constants: Vec<_> =
        dispatch.constants.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{\"features\": [{}], \"constants\": {{{}}}}}\n", features.join(", "), constants.join(", "))
}

/// A folder of shaders, with nothing in it that was there before.
struct Files {
    folder: PathBuf,
    count: Cell<usize>,
}

impl Files {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shaders").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        Self { folder, count: Cell::new(0) }
    }

    /// The name of the next shader: a variant has as many as there are examples, and what may follow each.
    fn next(&self, dispatch: &Dispatch) -> String {
        let number = self.count.replace(self.count.get() + 1);
        format!("{number:04}-{}", dispatch.variant())
    }

    fn write(&self, name: &str, extension: &str, bytes: &[u8]) {
        fs::write(self.folder.join(format!("{name}.{extension}")), bytes).unwrap();
    }
}
