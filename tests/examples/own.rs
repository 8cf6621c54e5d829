//! The examples that bring a kernel and a stage of their own.

use super::{device, example, text};

#[test]
fn a_kernel_of_ones_own_agrees_with_its_twin() {
    let Some(device) = device() else { return };
    let text = text("own_kernel", &[&device]);
    let apart =
        text.lines().last().and_then(|line| line.split_whitespace().rev().nth(1)).expect("a last line");
    assert!(apart.parse::<f32>().expect("a number") < 1e-5, "{text}");
}

#[test]
fn a_stage_of_ones_own_shares_its_device_with_a_program() {
    match device().as_deref() {
        None => {}
        Some("cpu") => eprintln!("left out: the twins are no wgpu device"),
        Some(_) => {
            let text = text("own_stage", &[]);
            assert_eq!(text.lines().filter(|line| line.contains("every law")).count(), 1, "{text}");
            assert_eq!(text.lines().filter(|line| line.contains("brightness")).count(), 3, "{text}");
            assert_eq!(text.lines().filter(|line| line.contains("mean red")).count(), 3, "{text}");
        }
    }
}

#[test]
fn photos_of_the_repository_are_found_from_any_folder_and_a_missing_one_is_named() {
    let Some(device) = device() else { return };
    let elsewhere = |name: &str, arguments: &[&str]| {
        let output = example(name).args(arguments).current_dir(std::env::temp_dir()).output();
        let output = output.expect("the example starts");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (mut examples, missing) = (vec![("own_kernel", vec![&device[..]])], "/no/such/photo.jpg");
    if device != "cpu" {
        examples.push(("own_stage", Vec::new()));
    }
    for (name, mut arguments) in examples {
        let (well, errors) = elsewhere(name, &arguments);
        assert!(well, "{name}: {errors}");
        arguments.push(missing);
        let (well, errors) = elsewhere(name, &arguments);
        assert!(
            !well && errors.lines().any(|line| line.starts_with(&format!("{name}: {missing}: "))),
            "{errors}"
        );
        assert!(text(name, &["--help"]).starts_with(name));
    }
}
