//! How urgent a thread is.

/// Lets the calling thread run only when nothing else wants to. Advice: where the system refuses, the thread runs on as it was.
pub fn become_idle() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::unix::{NormalThreadSchedulePolicy, ThreadSchedulePolicy};
        let id = thread_priority::unix::thread_native_id();
        let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let lowest = thread_priority::ThreadPriority::Min;
        let _ = thread_priority::unix::set_thread_priority_and_policy(id, lowest, policy);
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Min);
    }
}
