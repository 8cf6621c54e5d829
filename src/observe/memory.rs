//! Memory of this process.

/// The most bytes of memory that this process has held at one time, on Linux; `None` elsewhere.
pub(crate) fn peak_resident_bytes() -> Option<u64> {
    if cfg!(target_os = "linux") {
        of_status(&String::from_utf8(crate::file::read("/proc/self/status", 1 << 20).ok()?).ok()?)
    } else {
        None
    }
}

fn of_status(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_what_the_system_says() {
        assert_eq!(of_status("VmPeak:\t  99 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 5 kB\n"), Some(1234 * 1024));
        assert_eq!(of_status("Name:\tgapless\n"), None);
    }

    #[test]
    fn this_process_holds_memory() {
        assert!(!cfg!(target_os = "linux") || peak_resident_bytes() > Some(1 << 20));
    }
}
