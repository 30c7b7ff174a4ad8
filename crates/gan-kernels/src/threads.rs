//! The threads that everything computes with.

/// Starts rayon's global pool with `threads` threads, and sizes the pool that candle keeps for its
/// element-wise operations alike. A program calls this once, before any other thread of its own.
///
/// Fails where a pool was started already.
pub fn start_threads(threads: usize) -> Result<(), rayon::ThreadPoolBuildError> {
    // candle reads the size of its pool from here, when it first needs it.
    // SAFETY: the caller has started no thread yet that could read the environment meanwhile.
    #[allow(unsafe_code)]
    unsafe {
        std::env::set_var("CANDLE_NUM_THREADS", threads.to_string());
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()
}
