//! The threads of the jobs.

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime for jobs with `threads` worker threads; 0: one per core. Beside them it holds up to 512 threads, made
/// when they are needed, for blocking jobs; those beyond wait.
///
/// # Errors
/// When the operating system gives no threads.
pub fn job_runtime(threads: usize) -> std::io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if threads > 0 {
        builder.worker_threads(threads);
    }
    builder.thread_name("job").enable_all().build()
}

/// The same, given up when it is dropped, also inside async code: nobody waits for a job that blocks its thread.
#[derive(Debug)]
pub(crate) struct JobThreads(Option<Runtime>);

impl JobThreads {
    /// # Errors
    /// As [`job_runtime`].
    pub(crate) fn start(threads: usize) -> std::io::Result<Self> {
        Ok(Self(Some(job_runtime(threads)?)))
    }

    pub(crate) fn handle(&self) -> Handle {
        self.0.as_ref().expect("it is taken on drop only").handle().clone()
    }
}

impl Drop for JobThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
