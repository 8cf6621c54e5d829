//! Shaders of gapless's own, made without the checks that a driver would run for each place that is read or written.
//!
//! wgpu puts a clamp around every index and a counter of 64 bits into every loop, since it takes shaders from
//! anybody. Users' own shaders keep all checks, and so do those whose places follow from values.
#![expect(unsafe_code, reason = "only an unsafe function makes shaders without checks")]

/// A shader; `trusted` only where it is that of a step of a plan which says so.
pub(super) fn module(
    device: &wgpu::Device,
    descriptor: wgpu::ShaderModuleDescriptor<'_>,
    trusted: bool,
) -> wgpu::ShaderModule {
    if !trusted {
        return device.create_shader_module(descriptor);
    }
    let checks = wgpu::ShaderRuntimeChecks { int_div_checks: true, ..wgpu::ShaderRuntimeChecks::unchecked() };
    // SAFETY: what checks would find is not there.
    // - A step is trusted where its kernel is one of gapless's own types (`kernel/ours.rs`) and the plan had its
    //   dispatch made for the very shapes whose tensors it binds (`Step::new`). Nobody can change it after that:
    //   neither steps nor variants leave the crate but by name.
    // - Its places follow from its dispatch and its parameters, which its shape rule accepted. In builds with debug
    //   assertions, which all tests are, a place is looked at before it is used (`kernel/access/guard.rs`), and an
    //   invocation that used one that is not there writes no number: every comparison with a twin looks for such.
    // - Its loops end: each counts to a parameter or a constant, and `Needs::rounds` says how far.
    // - Divisions keep their checks.
    unsafe { device.create_shader_module_trusted(descriptor, checks) }
}
