//! The threads that everything computes with.

/// Starts rayon's global pool, the one that all kernels run on, with `threads` threads. A program calls this once.
///
/// Fails where a pool was started already.
pub fn start_threads(threads: usize) -> Result<(), rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()
}
