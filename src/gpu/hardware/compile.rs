//! Pipelines of a program: one for each kernel source and set of constants, made when it is opened.

use std::borrow::Cow;
use std::collections::HashMap;

use super::device::Device;
use super::trusted;
use crate::kernel::{Access, Dispatch};
use crate::stage::StageError;

type Key = (Cow<'static, str>, Vec<(Cow<'static, str>, u64)>, usize, bool);

/// Pipelines by what they are made of.
pub(super) struct Pipelines<'a> {
    device: &'a Device,
    layouts: HashMap<usize, wgpu::BindGroupLayout>,
    pipelines: HashMap<Key, wgpu::ComputePipeline>,
}

impl<'a> Pipelines<'a> {
    pub(super) fn new(device: &'a Device) -> Self {
        Self { device, layouts: HashMap::new(), pipelines: HashMap::new() }
    }

    /// Layout of group 0 for a kernel with `inputs` inputs: parameters, inputs, output.
    pub(super) fn layout(&mut self, inputs: usize) -> wgpu::BindGroupLayout {
        let make = || bind_group_layout(self.device, inputs);
        self.layouts.entry(inputs).or_insert_with(make).clone()
    }

    pub(super) fn pipeline(
        &mut self,
        dispatch: &Dispatch,
        inputs: usize,
        trusted: bool,
    ) -> Result<wgpu::ComputePipeline, StageError> {
        let bits = dispatch.constants.iter().map(|(name, value)| (name.clone(), value.to_bits())).collect();
        let key = (dispatch.source.clone(), bits, inputs, trusted);
        if let Some(pipeline) = self.pipelines.get(&key) {
            return Ok(pipeline.clone());
        }
        let layout = self.layout(inputs);
        let pipeline = self.device.caught(|| compile(self.device, dispatch, trusted, &layout))?;
        self.pipelines.insert(key, pipeline.clone());
        Ok(pipeline)
    }
}

fn compile(
    device: &Device,
    dispatch: &Dispatch,
    trusted: bool,
    layout: &wgpu::BindGroupLayout,
) -> wgpu::ComputePipeline {
    let label = format!("gapless.{}", dispatch.kernel);
    let source = wgpu::ShaderSource::Wgsl(Cow::Borrowed(&dispatch.source));
    let module =
        trusted::module(&device.raw, wgpu::ShaderModuleDescriptor { label: Some(&label), source }, trusted);
    let layout = device.raw.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(&label),
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    });
    let constants: Vec<(&str, f64)> =
        dispatch.constants.iter().map(|(name, value)| (&**name, *value)).collect();
    device.raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(&label),
        layout: Some(&layout),
        module: &module,
        entry_point: None,
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &constants,
            // On Metal and DX12 one invocation clears all of it, and the others wait.
            zero_initialize_workgroup_memory: dispatch.access != Access::Ours,
        },
        cache: None,
    })
}

fn bind_group_layout(device: &Device, inputs: usize) -> wgpu::BindGroupLayout {
    let uniform = wgpu::BufferBindingType::Uniform;
    let read = wgpu::BufferBindingType::Storage { read_only: true };
    let write = wgpu::BufferBindingType::Storage { read_only: false };
    let types = [uniform].into_iter().chain(std::iter::repeat_n(read, inputs)).chain([write]);
    let entry = |(binding, ty)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(types).map(entry).collect();
    let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some("gapless.kernel"), entries: &entries };
    device.raw.create_bind_group_layout(&descriptor)
}
