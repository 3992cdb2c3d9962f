//! Who we are to the system: the machine's name, for people who ask who holds a lock, and the user.

/// The machine's host name; `unknown` where the system does not tell.
#[must_use]
pub fn name() -> String {
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "unknown".to_owned())
}

/// The number of the user as whom this process makes files.
#[must_use]
pub fn user() -> u32 {
    nix::unistd::geteuid().as_raw()
}
