//! Every shader, read and found valid.

use gapless::kernel::examples::{self, Example};
use gapless::kernel::{Dispatch, Needs, Precision};
use naga::Module;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};

/// Every variant of the example.
pub(crate) fn dispatches(example: &Example) -> Vec<Dispatch> {
    let inputs: Vec<_> = example.inputs.iter().collect();
    let output = example.kernel.output(&inputs).expect("an example is accepted");
    let variants = example.kernel.variants(&inputs, &output);
    assert_eq!(variants[0], example.kernel.dispatch(&inputs, &output), "the plainest is first");
    variants.into_iter().map(|dispatch| dispatch.written(&inputs, &output)).collect()
}

fn parse(source: &str) -> Module {
    naga::front::wgsl::parse_str(source).unwrap_or_else(|error| {
        panic!("{}", error.emit_to_string(source));
    })
}

/// What a device that has these can do. All others have `SHADER_FLOAT16_IN_FLOAT32` alone, and one that
/// lacks it too gets no shader that reads halves.
pub(crate) fn capabilities(needs: Needs) -> Capabilities {
    let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    capabilities.set(Capabilities::SUBGROUP, needs.subgroups);
    capabilities.set(Capabilities::SHADER_FLOAT16, needs.precision > Precision::Full);
    capabilities
}

fn check(dispatch: &Dispatch) -> (Module, ModuleInfo) {
    let module = parse(&dispatch.source);
    let info = Validator::new(ValidationFlags::all(), capabilities(dispatch.needs))
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&dispatch.source)));
    (module, info)
}

pub(crate) fn for_every_shader(check_one: impl Fn(&Example, &Dispatch, &Module, &ModuleInfo)) {
    for example in examples::all() {
        for dispatch in dispatches(&example) {
            let (module, info) = check(&dispatch);
            check_one(&example, &dispatch, &module, &info);
        }
    }
}
