//! The name of this machine, for people who ask who holds a lock.

/// The machine's host name; `unknown` where the system does not tell.
#[must_use]
pub fn name() -> String {
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "unknown".to_owned())
}
