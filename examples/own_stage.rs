//! A GPU stage of your own, written with wgpu, on a device that it shares with a program of gapless.
//!
//! ```sh
//! cargo run --release --example own_stage -- [PHOTO…]
//! ```
//! The stage counts the brightness of photos in a shader with atomics, which no kernel of gapless does; the
//! program takes the mean of the same photos. Both run on one device and one queue, each as the GPU half of a
//! pipeline of its own. Any other runtime is joined the same way: what the engine asks of it is [`GpuStage`].

#[path = "common/failure.rs"]
mod failure;
#[path = "common/terminal.rs"]
mod terminal;
#[path = "common/three.rs"]
mod three;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use gapless::image::Loader;
use gapless::kernel::{GlobalAveragePool, Normalize, Spec};
use gapless::testing::check_stage;
use gapless::{Batch, Cause, DeviceInfo, DeviceKind, Error, Gpu, GpuStage, Pipeline, Program, StageError};
use ndarray::Array3;
use terminal::{Problem, print};

const HELP: &str = "own_stage [PHOTO...]

PHOTO  default three of the repository";
const SIDE: usize = 128;
const BINS: usize = 16;
/// Bytes of one photo: three channels, and no padding since the side is a multiple of 4.
const PHOTO_BYTES: usize = SIDE * SIDE * 3;

const HISTOGRAM: &str = "
@group(0) @binding(0) var<storage, read> pixels: array<u32>;
@group(0) @binding(1) var<storage, read_write> bins: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let word = unpack4xU8(pixels[id.z * 12288u + id.x]);
    for (var i = 0u; i < 4u; i++) {
        atomicAdd(&bins[id.z * 16u + word[i] / 16u], 1u);
    }
}";

/// What the stage keeps for as long as it lives, made in `open`.
struct Buffers {
    pixels: wgpu::Buffer,
    bins: wgpu::Buffer,
    readback: wgpu::Buffer,
    bind: wgpu::BindGroup,
}

/// Counts how many bytes of a photo lie in each sixteenth of the brightness.
struct Histogram {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    buffers: Option<Buffers>,
}

/// A batch on its way: how many photos, and who tells that it is done.
struct Ticket {
    photos: usize,
    mapped: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Histogram {
    fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let source = wgpu::ShaderSource::Wgsl(HISTOGRAM.into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("histogram"),
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            cache: None,
        });
        Self { device: device.clone(), queue: queue.clone(), pipeline, buffers: None }
    }

    fn buffer(&self, size: usize, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let descriptor =
            wgpu::BufferDescriptor { label: None, size: size as u64, usage, mapped_at_creation: false };
        self.device.create_buffer(&descriptor)
    }
}

impl GpuStage<Array3<u8>> for Histogram {
    type Output = Vec<[u32; BINS]>;
    type Ticket = Ticket;

    fn open(&mut self, max_batch: usize) -> Result<(), Cause> {
        use wgpu::BufferUsages as Usage;
        let pixels = self.buffer(max_batch * PHOTO_BYTES, Usage::STORAGE | Usage::COPY_DST);
        let bins = self.buffer(max_batch * BINS * 4, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
        let readback = self.buffer(max_batch * BINS * 4, Usage::MAP_READ | Usage::COPY_DST);
        let entry = |(binding, buffer)| {
            let resource = wgpu::Buffer::as_entire_binding(buffer);
            wgpu::BindGroupEntry { binding, resource }
        };
        let entries = [(0, &pixels), (1, &bins)].map(entry);
        let bind = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        self.buffers = Some(Buffers { pixels, bins, readback, bind });
        Ok(())
    }

    fn device(&self) -> DeviceInfo {
        DeviceInfo::new(self.device.adapter_info().name, DeviceKind::Other)
    }

    fn accepts(&self, photo: &Array3<u8>) -> Result<(), Cause> {
        if photo.dim() == (SIDE, SIDE, 3) {
            return Ok(());
        }
        Err(Cause::msg(format!("it is {:?}, and ({SIDE}, {SIDE}, 3) would fit", photo.dim())))
    }

    fn submit(&mut self, batch: &[Array3<u8>]) -> Result<Ticket, StageError> {
        let Some(Buffers { pixels, bins, readback, bind }) = &self.buffers else {
            return Err(StageError::Batch(Cause::msg("the stage was not opened")));
        };
        for (index, photo) in batch.iter().enumerate() {
            let photo = photo.as_standard_layout();
            let bytes = photo.as_slice().expect("it is in standard layout");
            self.queue.write_buffer(pixels, (index * PHOTO_BYTES) as u64, bytes);
        }
        let down = (batch.len() * BINS * 4) as u64;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(bins, 0, Some(down));
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, bind, &[]);
        pass.dispatch_workgroups((PHOTO_BYTES / 4 / 64) as u32, 1, batch.len() as u32);
        drop(pass);
        encoder.copy_buffer_to_buffer(bins, 0, readback, 0, down);
        let (told, mapped) = mpsc::channel();
        encoder.map_buffer_on_submit(readback, wgpu::MapMode::Read, ..down, move |result| {
            let _nobody_asks_any_more = told.send(result);
        });
        self.queue.submit([encoder.finish()]);
        Ok(Ticket { photos: batch.len(), mapped })
    }

    fn try_collect(
        &mut self,
        ticket: &mut Ticket,
        wait: Duration,
    ) -> Result<Option<Self::Output>, StageError> {
        let poll = match wait {
            Duration::ZERO => wgpu::PollType::Poll,
            _ => wgpu::PollType::Wait { submission_index: None, timeout: Some(wait) },
        };
        match self.device.poll(poll) {
            Ok(_) | Err(wgpu::PollError::Timeout) => {}
            Err(error) => return Err(StageError::Lost(error.into())),
        }
        let Ok(mapped) = ticket.mapped.try_recv() else { return Ok(None) };
        mapped.map_err(|error| StageError::Lost(error.into()))?;
        let readback = &self.buffers.as_ref().expect("a ticket was given").readback;
        let view = readback.get_mapped_range(..(ticket.photos * BINS * 4) as u64)?;
        let bins = bytemuck::cast_slice::<u8, [u32; BINS]>(&view).to_vec();
        drop(view);
        readback.unmap();
        Ok(Some(bins))
    }
}

fn mean_of_channels(gpu: &Gpu) -> Result<Program, Error> {
    let mut net = Program::new(gpu);
    let photo = net.input("photo", Spec::bytes(&[SIDE, SIDE, 3]))?;
    let planes = net.add(Normalize::new([0.0; 3], [1.0; 3]), &[photo])?;
    let mean = net.add(GlobalAveragePool::new(), &[planes])?;
    net.output("mean", mean)?;
    Ok(net)
}

/// The first device that wgpu offers, made here and not by gapless.
fn own_device() -> Option<(wgpu::Device, wgpu::Queue)> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter =
        pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default())).ok()?;
    pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).ok()
}

fn main() -> ExitCode {
    terminal::exit("own_stage", run())
}

fn run() -> Result<(), Problem> {
    let Some(arguments) = terminal::values(HELP)? else { return Ok(()) };
    let photos = three::photos_or_three(arguments.into_iter());
    let (device, queue) = own_device()
        .ok_or("there is no device for wgpu here (on Debian: the package mesa-vulkan-drivers)")?;
    let gpu = Gpu::from_wgpu(device.clone(), queue.clone());
    print(&format!("one device for both: {gpu}"))?;
    // What a test of the stage would do: whatever gapless relies on is looked at before it is relied on.
    let grays = [0, 100, 200].map(|gray| Array3::from_elem((SIDE, SIDE, 3), gray));
    let small = Array3::zeros((1, 1, 3));
    check_stage(|| Histogram::new(&device, &queue), &grays).refuses(&small).run()?;
    print("the stage keeps every law of a GPU stage")?;
    let loader = || Loader::rgb8(SIDE as u32, SIDE as u32);
    let mut run = Pipeline::new(loader(), Histogram::new(&device, &queue)).run(photos.clone());
    for batch in run.by_ref() {
        for (photo, bins) in whole(batch?)?.rows() {
            print(&format!("{:<24} brightness {bins:?}", terminal::name(photo)))?;
        }
    }
    for batch in Pipeline::new(loader(), mean_of_channels(&gpu)?).run(photos) {
        for (photo, row) in whole(batch?)?.rows() {
            print(&format!("{:<24} mean red, green, blue {:.1?}", terminal::name(photo), &row["mean"][..]))?;
        }
    }
    Ok(print(&run.report().to_string())?)
}

/// The batch, unless a photo of it failed: which, and why.
fn whole<O>(batch: Batch<PathBuf, O>) -> Result<Batch<PathBuf, O>, Problem> {
    match batch.failures().first() {
        Some(failure) => Err(failure::named(failure).into()),
        None => Ok(batch),
    }
}
