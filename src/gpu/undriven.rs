//! A GPU that is there, and that no driver offers: containers often have the one without the other.

use std::path::Path;
use std::sync::Once;

use super::graph::setting;
use crate::error::Error;

/// A file that a kernel shows where there is such a GPU, and what brings a Vulkan driver for it.
const SIGNS: [(&str, &str); 3] = [
    (
        "/dev/nvidia0",
        "NVIDIA's driver has one: start a container with NVIDIA_DRIVER_CAPABILITIES=all, and install libvulkan1",
    ),
    ("/dev/dri/renderD128", "the packages mesa-vulkan-drivers and libvulkan1 have one"),
    ("/dev/dxg", "Mesa's dozen is one for the GPU of a Windows host"),
];

/// The variable that asks for a GPU: with 1 it is an error that there is none, with 0 nothing is said of it.
const VARIABLE: &str = "GAPLESS_REQUIRE_GPU";

/// Says that there is a GPU and no driver for it, once in a process, or refuses to go on without one.
pub(super) fn look(without: Option<&str>) -> Result<(), Error> {
    let asked = std::env::var(VARIABLE).ok();
    if let Some(line) = said(asked.as_deref(), reason(without, |sign| Path::new(sign).exists()))? {
        static SAID: Once = Once::new();
        SAID.call_once(|| eprintln!("{line}"));
    }
    Ok(())
}

/// What is said, if anything is.
fn said(asked: Option<&str>, reason: Option<String>) -> Result<Option<String>, Error> {
    match (asked, reason) {
        (Some("1"), reason) => {
            let reason = reason.unwrap_or_else(|| "there is no GPU".into());
            Err(setting("Gpu::best", format!("{reason}; {VARIABLE}=1 asks for one")))
        }
        (Some("0"), _) | (_, None) => Ok(None),
        (_, Some(reason)) => {
            Ok(Some(format!("gapless: {reason}; running on the CPU ({VARIABLE}=0 keeps this quiet)")))
        }
    }
}

/// Why a GPU that shows a sign of itself is not used. `without` says why there are no devices at all.
fn reason(without: Option<&str>, is_there: impl Fn(&str) -> bool) -> Option<String> {
    let (sign, help) = SIGNS.into_iter().find(|(sign, _)| is_there(sign))?;
    Some(match without {
        Some(why) => format!("there is a GPU ({sign}) and it is not used, since {why}"),
        None => format!("there is a GPU ({sign}) and no Vulkan driver for it: {help}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_makes_it_an_error_or_keeps_it_quiet() {
        let reason = || Some("there is one".to_owned());
        let error = |reason| said(Some("1"), reason).expect_err("one is asked for").to_string();
        assert_eq!(error(None), "Gpu::best: there is no GPU; GAPLESS_REQUIRE_GPU=1 asks for one");
        assert_eq!(error(reason()), "Gpu::best: there is one; GAPLESS_REQUIRE_GPU=1 asks for one");
        assert_eq!(said(Some("0"), reason()).expect("no error"), None);
        assert_eq!(said(None, None).expect("no error"), None);
        let line = said(None, reason()).expect("no error").expect("a line");
        assert_eq!(
            line,
            "gapless: there is one; running on the CPU (GAPLESS_REQUIRE_GPU=0 keeps this quiet)"
        );
    }

    #[test]
    fn a_gpu_without_a_driver_is_named_with_what_brings_one() {
        let sees = |there: &'static str| move |sign: &str| sign == there;
        assert_eq!(reason(None, sees("/dev/null")), None);
        let nvidia = reason(None, sees("/dev/nvidia0")).expect("there is one");
        assert!(
            nvidia.starts_with("there is a GPU (/dev/nvidia0) and no Vulkan driver for it: NVIDIA's"),
            "{nvidia}"
        );
        let built =
            reason(Some("gapless was built without it"), sees("/dev/dri/renderD128")).expect("there is one");
        assert_eq!(
            built,
            "there is a GPU (/dev/dri/renderD128) and it is not used, since gapless was built without it"
        );
    }
}
