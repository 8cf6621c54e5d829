//! Every shader translates to the languages of the devices.

#[path = "../common/shaders.rs"]
mod read;
mod written;

use gapless::kernel::{Dispatch, Precision};
use naga::Module;
use naga::back::pipeline_constants::process_overrides;
use naga::back::{hlsl, msl};
use naga::valid::ModuleInfo;
use read::{for_every_chain, for_every_joined, for_every_shader};

/// Every shader with the constants of its pipeline in the place of the overrides, as a driver gets it.
fn translated(check_one: impl Fn(&Dispatch, &Module, &ModuleInfo)) {
    let check = |dispatch: &Dispatch, module: &Module, info: &ModuleInfo| {
        let constants = dispatch.constants.iter().map(|(name, value)| (name.to_string(), *value)).collect();
        let (module, info) = process_overrides(module, info, None, &constants)
            .unwrap_or_else(|error| panic!("{}: {error}", dispatch.variant()));
        check_one(dispatch, &module, &info);
    };
    for_every_shader(|_, dispatch, module, info| check(dispatch, module, info));
    for_every_chain(|_, dispatch, module, info| check(dispatch, module, info));
    for_every_joined(check);
}

#[test]
fn every_shader_translates_to_metal() {
    translated(|dispatch, module, info| {
        let options =
            msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
        let (text, _) = msl::write_string(module, info, &options, &msl::PipelineOptions::default())
            .unwrap_or_else(|error| panic!("{}: {error}", dispatch.kernel));
        assert!(text.contains("kernel void"), "{}", dispatch.kernel);
    });
}

#[test]
fn every_shader_translates_to_hlsl() {
    translated(|dispatch, module, info| {
        let mut text = String::new();
        // Subgroups came with model 6.0 and 16-bit floats with 6.2; a device without has none of the two.
        let needs = dispatch.needs;
        let shader_model = if needs.subgroups || needs.precision > Precision::Full {
            hlsl::ShaderModel::V6_2
        } else {
            hlsl::ShaderModel::V5_1
        };
        let options = hlsl::Options { shader_model, ..hlsl::Options::default() };
        let pipeline = hlsl::PipelineOptions::default();
        hlsl::Writer::new(&mut text, &options, &pipeline)
            .write(module, info, None)
            .unwrap_or_else(|error| panic!("{}: {error}", dispatch.kernel));
        assert!(text.contains("numthreads"), "{}", dispatch.kernel);
    });
}
