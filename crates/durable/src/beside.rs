//! Two pieces of work at once: one on a thread of its own, one here.

use std::panic::resume_unwind;
use std::thread::{Builder, scope};

/// Runs `there` on a thread of that name, which is as urgent as the caller, while the caller runs `here`; after it, where the system gives
/// no thread. Both have ended when it returns, or panics because one of them did.
pub fn beside<A: Send, B>(name: &str, there: impl Fn() -> A + Sync, here: impl FnOnce() -> B) -> (A, B) {
    scope(|scope| {
        let thread = Builder::new().name(name.to_owned()).spawn_scoped(scope, &there);
        let here = here();
        let there = match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => there(),
        };
        (there, here)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    #[test]
    fn both_run_at_once() {
        let (send, receive) = std::sync::mpsc::sync_channel(0);
        // A channel without room: neither ends without the other.
        let (there, here) = beside("cutover-test", || send.send(7).is_ok(), || receive.recv());
        assert_eq!((there, here), (true, Ok(7)));
    }

    #[test]
    fn a_panic_there_is_one_here() {
        let panic = catch_unwind(|| beside("cutover-test", || resume_unwind(Box::new("there")), || 7));
        assert_eq!(panic.err().and_then(|panic| panic.downcast::<&str>().ok()).map(|text| *text), Some("there"));
    }
}
