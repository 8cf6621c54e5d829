//! Devices are found by name, described, and can be the user's own.

use gapless::kernel::{Softmax, Spec};
use gapless::{DeviceKind, Gpu, GpuStage, Program};
use ndarray::Array1;

use crate::common::device;
use crate::devices::{adapter, own_device};
use crate::toy::{Scale, bytes};

#[test]
fn the_best_device_is_no_software() {
    assert_ne!(Gpu::best().unwrap().info().kind, DeviceKind::Software);
}

#[test]
fn an_unknown_name_is_an_error_that_lists_what_there_is() {
    let error = Gpu::named("voodoo 2").unwrap_err().to_string();
    for info in Gpu::list() {
        assert!(error.contains(&info.name), "{error}");
    }
    assert!(Gpu::named("").is_err());
}

#[test]
fn devices_that_open_stand_in_the_list_in_its_order() {
    if device().is_none() {
        return;
    }
    let mut names = Gpu::list().into_iter().map(|info| info.name);
    let opened: Vec<_> = Gpu::all().iter().map(|gpu| gpu.info().name.clone()).collect();
    assert!(opened.iter().all(|name| names.any(|listed| listed == *name)), "{opened:?}");
    assert_eq!(opened.last().unwrap(), "cpu");
}

#[test]
fn a_device_says_what_it_is() {
    let Some(gpu) = device() else { return };
    let text = gpu.to_string();
    assert!(text.contains(&gpu.info().name), "{text}");
    assert!(gpu.limits().workgroups >= 65_535);
    assert_eq!(Gpu::cpu().to_string(), "cpu (twin)");
}

#[test]
fn a_part_of_the_name_is_enough() {
    let Some(gpu) = device() else { return };
    let name = &gpu.info().name;
    let part = name.split_whitespace().next().expect("adapters have names").to_uppercase();
    assert_eq!(&Gpu::named(&part).unwrap().info().name, name);
}

#[test]
fn a_device_of_ones_own_runs_programs_beside_other_work() {
    let Some((gpu, device)) = own_device() else { return };
    let mut net = Program::new(&gpu);
    let x = net.input("x", bytes(&[8])).unwrap();
    let y = net.add(Scale(3.0, 0.0), &[x]).unwrap();
    net.output("y", y).unwrap();
    GpuStage::<Array1<u8>>::open(&mut net, 1).unwrap();
    let mut ticket = net.submit(&[Array1::from_elem(8, 5_u8)]).unwrap();
    let encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    drop(encoder.finish());
    let minute = std::time::Duration::from_secs(60);
    let tensors = GpuStage::<Array1<u8>>::try_collect(&mut net, &mut ticket, minute).unwrap().unwrap();
    assert_eq!(tensors["y"].as_slice().unwrap(), [15.0; 8]);
}

#[test]
fn a_device_has_the_features_that_its_adapter_offers_and_one_that_is_given_what_it_was_made_with() {
    let Some((own, _)) = own_device() else { return };
    let named = Gpu::named(&own.info().name).unwrap();
    let features = adapter(&own.info().name).features();
    assert_eq!(named.limits().subgroups.is_some(), features.contains(wgpu::Features::SUBGROUP));
    assert_eq!(named.limits().f16, features.contains(wgpu::Features::SHADER_F16));
    assert!(named.limits().subgroups.is_none_or(|[least, most]| (4..=most).contains(&least) && most <= 128));
    assert_eq!((own.limits().subgroups, own.limits().f16), (None, false), "it was made without");
    let mut net = Program::new(&own);
    let x = net.input("x", Spec::floats(&[1000])).unwrap();
    let y = net.add(Softmax::new(), &[x]).unwrap();
    net.output("y", y).unwrap();
    assert_eq!(net.plan(1).unwrap().kernels().next().unwrap().variants, ["softmax"]);
}
