//! Which device is the best, and which one a name means.

use crate::stage::{DeviceInfo, DeviceKind};

/// The lower, the better.
pub(super) fn rank(kind: DeviceKind) -> u8 {
    match kind {
        DeviceKind::Discrete => 0,
        DeviceKind::Integrated => 1,
        DeviceKind::Other => 2,
        DeviceKind::Software => 3,
        DeviceKind::Twin => 4,
    }
}

/// Index of the best device that is no software, if there is one.
pub(super) fn best(infos: &[DeviceInfo]) -> Option<usize> {
    let hardware = (0..infos.len()).filter(|&index| !infos[index].kind.shares_cpu());
    hardware.min_by_key(|&index| rank(infos[index].kind))
}

/// Index of the device that `name` means, if there is one.
pub(super) fn find(infos: &[DeviceInfo], name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    if name == "software" {
        return infos.iter().position(|info| info.kind == DeviceKind::Software);
    }
    infos.iter().position(|info| !name.is_empty() && info.name.to_lowercase().contains(&name))
}

/// Why there is none of this name. `without` says why there are no devices at all.
pub(super) fn no_such_device(infos: &[DeviceInfo], name: &str, without: Option<&str>) -> String {
    let missing = match (without, name) {
        (Some(why), _) => format!("no device is called {name:?}, since {why}"),
        (None, "software") => {
            "there is no software Vulkan here (on Debian: the package mesa-vulkan-drivers)".into()
        }
        (None, _) => format!("no device is called {name:?}"),
    };
    let there: Vec<String> =
        infos.iter().chain([&twins()]).map(|info| format!("{} ({})", info.name, info.kind)).collect();
    format!("{missing}; there is: {}", there.join(", "))
}

/// What the twins are called.
pub(super) fn twins() -> DeviceInfo {
    DeviceInfo::new("cpu", DeviceKind::Twin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kinds: &[DeviceKind]) -> Option<usize> {
        best(&kinds.iter().map(|&kind| DeviceInfo::new("", kind)).collect::<Vec<_>>())
    }

    #[test]
    fn the_best_device_is_discrete_then_integrated_and_never_software() {
        use DeviceKind::{Discrete, Integrated, Other, Software};
        assert_eq!(of(&[Software, Integrated, Discrete]), Some(2));
        assert_eq!(of(&[Software, Other, Integrated]), Some(2));
        assert_eq!(of(&[Software]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_name_is_found_by_a_part_of_it_in_either_case() {
        let infos = [
            DeviceInfo::new("llvmpipe (LLVM 15)", DeviceKind::Software),
            DeviceInfo::new("NVIDIA H100", DeviceKind::Discrete),
        ];
        assert_eq!(find(&infos, "h100"), Some(1));
        assert_eq!(find(&infos, "LLVMPIPE"), Some(0));
        assert_eq!(find(&infos, "software"), Some(0));
        assert_eq!(find(&infos, "radeon"), None);
        assert_eq!(find(&infos, ""), None);
    }

    #[test]
    fn the_error_for_an_unknown_name_lists_what_there_is() {
        let infos = [DeviceInfo::new("NVIDIA H100", DeviceKind::Discrete)];
        let reason = no_such_device(&infos, "radeon", None);
        assert_eq!(reason, "no device is called \"radeon\"; there is: NVIDIA H100 (discrete), cpu (twin)");
    }

    #[test]
    fn the_error_of_a_build_without_devices_says_that_it_is_one() {
        let reason = no_such_device(&[], "software", Some("there are none"));
        assert_eq!(reason, "no device is called \"software\", since there are none; there is: cpu (twin)");
    }
}
