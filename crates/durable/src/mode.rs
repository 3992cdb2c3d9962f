//! Permission bits of what is published: everyone may read, less the process's umask.
//!
//! `umask(2)` can only be read by changing it, which races with every other thread that creates a file. It is read once, from
//! the kernel's own report, or from the mode of a file made for that purpose.

use std::{
    fs::OpenOptions,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    sync::OnceLock,
};

/// When nothing tells the umask: nobody but the owner.
const STRICTEST: u32 = 0o077;

/// `mode` less the process's umask (as it was when first asked for).
pub fn less_umask(mode: u32) -> u32 {
    static UMASK: OnceLock<u32> = OnceLock::new();
    mode & !*UMASK.get_or_init(|| from_proc().or_else(from_probe).unwrap_or(STRICTEST))
}

fn from_proc() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let digits = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(digits.trim(), 8).ok()
}

/// Makes a file that everybody may read and write and looks at what was left of that. Directories' execute bits follow the
/// read bits, as every umask in use does.
fn from_probe() -> Option<u32> {
    let path = std::env::temp_dir().join(format!("cutover-umask-{}", crate::random::suffix().ok()?));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o666).open(&path).ok()?;
    let mode = file.metadata().map(|metadata| metadata.permissions().mode());
    // The probe is empty and in a temporary directory; failing to remove it changes nothing that was asked.
    let _ = std::fs::remove_file(&path);
    let masked = 0o666 & !mode.ok()?;
    Some(masked | (masked & 0o444) >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_and_the_kernel_report_agree_on_read_and_write_bits() {
        if let (Some(reported), Some(probed)) = (from_proc(), from_probe()) {
            assert_eq!(reported & 0o666, probed & 0o666);
        }
    }
}
