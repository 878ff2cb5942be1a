//! Threads that do private-key operations and exponentiations, so that no connection ever waits for one.
//!
//! A free worker takes what waits, up to [`BATCH`] jobs, and no timer: batches form by themselves once there is load.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use dayfly_core::handshake::server::ServerLimits;
use dayfly_core::job::{Job, JobResult, perform_all};

/// As many as the engine behind takes at once.
const BATCH: usize = 8;

/// Takes the results, on a worker's thread.
pub(crate) type Deliver = Arc<dyn Fn(Vec<JobResult>) + Send + Sync>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The worker threads of a server. Dropping it lets them finish what is queued and end.
pub(crate) struct Workers {
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
}

/// How many threads do the costly work: one for each processor.
pub(crate) fn usual_count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// How many jobs wait at most before runs are put off, unless the operator says otherwise.
pub(crate) fn usual_queue() -> usize {
    usual_count().saturating_mul(ServerLimits::WAITING_JOBS_PER_THREAD)
}

impl Workers {
    /// Starts `count` threads.
    pub(crate) fn start(count: usize, deliver: &Deliver) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let threads = (0..count.max(1))
            .map(|number| {
                let (shared, deliver) = (Arc::clone(&shared), Arc::clone(deliver));
                thread::Builder::new().name(format!("crypto-{number}")).spawn(move || work(&shared, &deliver))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { shared, threads })
    }

    /// Queues jobs.
    pub(crate) fn submit(&self, jobs: impl IntoIterator<Item = Job>) {
        self.shared.lock().jobs.extend(jobs);
        self.shared.wake.notify_one();
    }

    /// How many jobs wait for a worker.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.lock().jobs.len()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A worker that panicked has said so itself; there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}

fn work(shared: &Shared, deliver: &Deliver) {
    while let Some(jobs) = next_batch(shared) {
        deliver(perform_all(jobs));
    }
}

/// `None` when the queue is closed and empty.
fn next_batch(shared: &Shared) -> Option<Vec<Job>> {
    let mut queue = shared.lock();
    loop {
        let count = queue.jobs.len().min(BATCH);
        if count > 0 {
            let jobs = queue.jobs.drain(..count).collect();
            if !queue.jobs.is_empty() {
                shared.wake.notify_one();
            }
            return Some(jobs);
        }
        if queue.closed {
            return None;
        }
        queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}
