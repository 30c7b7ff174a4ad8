//! Vectors of the machine at hand, chosen when the program runs.
//!
//! `GAN_KERNELS_SIMD` forces a path, for tests and comparisons: `avx512`, `avx2`, `neon` or `portable`. A path that
//! the machine lacks is an error ([`check_simd`]), not a silent substitute.

use std::sync::OnceLock;

use candle_core::WithDType;
use pulp::{Arch, Simd, WithSimd};

/// The environment variable that forces a path.
const VARIABLE: &str = "GAN_KERNELS_SIMD";

/// The instruction set that all kernels run on.
pub(crate) fn arch() -> Arch {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    *ARCH.get_or_init(|| chosen().unwrap_or_else(|reason| panic!("{reason}")))
}

/// The instruction set that is asked for, or the best there is.
fn chosen() -> Result<Arch, String> {
    match std::env::var(VARIABLE) {
        Ok(name) if !name.is_empty() => forced(&name).ok_or_else(|| {
            format!(
                "{VARIABLE}={name} is not an instruction set of this machine; set avx512, avx2, neon or portable, or \
                 leave it away for the best there is"
            )
        }),
        _ => Ok(Arch::new()),
    }
}

/// Whether the instruction set that `GAN_KERNELS_SIMD` asks for is there, or why not. A program calls this before
/// anything else: without it, the first kernel panics with the same reason.
///
/// # Errors
/// If the machine or this build does not have it.
pub fn check_simd() -> Result<(), String> {
    chosen().map(drop)
}

fn forced(name: &str) -> Option<Arch> {
    match name {
        "portable" => Some(Arch::Scalar),
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        "avx2" => pulp::x86::V3::try_new().map(Arch::V3),
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        "avx512" => pulp::x86::V4::try_new().map(Arch::V4),
        #[cfg(target_arch = "aarch64")]
        "neon" => pulp::aarch64::Neon::try_new().map(Arch::Neon),
        _ => None,
    }
}

/// Name of the instruction set that the kernels run on: `avx512`, `avx2`, `neon` or `portable`.
pub fn simd_name() -> &'static str {
    match arch() {
        Arch::Scalar => "portable",
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Arch::V3(_) => "avx2",
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Arch::V4(_) => "avx512",
        #[cfg(target_arch = "aarch64")]
        Arch::Neon(_) => "neon",
        #[allow(unreachable_patterns)] // pulp may learn more
        _ => "other",
    }
}

/// Runs `op` compiled for the machine's instruction set.
#[inline(always)]
pub(crate) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    arch().dispatch(op)
}

/// Runs loops compiled for the machine's instruction set.
#[inline(always)]
pub(crate) fn vectorized<R>(loops: impl FnOnce() -> R) -> R {
    arch().dispatch(loops)
}

/// An element type as vectors of each instruction set.
pub(crate) trait Lanes: WithDType {
    type Vector<S: Simd>: Copy;

    /// Elements of a vector.
    fn lanes<S: Simd>() -> usize {
        size_of::<Self::Vector<S>>() / size_of::<Self>()
    }
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn minus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a·b + c`, rounded once where the machine can.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;

    /// The vector at `from`.
    ///
    /// # Safety
    /// A whole vector must be readable there.
    #[allow(unsafe_code)]
    #[inline(always)]
    unsafe fn load<S: Simd>(from: *const Self) -> Self::Vector<S> {
        // SAFETY: the caller's promise; no alignment is needed.
        unsafe { from.cast::<Self::Vector<S>>().read_unaligned() }
    }

    /// Writes a vector at `to`.
    ///
    /// # Safety
    /// A whole vector must be writable there.
    #[allow(unsafe_code)]
    #[inline(always)]
    unsafe fn store<S: Simd>(to: *mut Self, value: Self::Vector<S>) {
        // SAFETY: the caller's promise; no alignment is needed.
        unsafe { to.cast::<Self::Vector<S>>().write_unaligned(value) }
    }
}

impl Lanes for f32 {
    type Vector<S: Simd> = S::f32s;
    #[inline(always)]
    fn splat<S: Simd>(simd: S, x: f32) -> S::f32s {
        simd.splat_f32s(x)
    }
    #[inline(always)]
    fn plus<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.add_f32s(a, b)
    }
    #[inline(always)]
    fn minus<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.sub_f32s(a, b)
    }
    #[inline(always)]
    fn times<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.mul_f32s(a, b)
    }
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(a, b, c)
    }
}

impl Lanes for f64 {
    type Vector<S: Simd> = S::f64s;
    #[inline(always)]
    fn splat<S: Simd>(simd: S, x: f64) -> S::f64s {
        simd.splat_f64s(x)
    }
    #[inline(always)]
    fn plus<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.add_f64s(a, b)
    }
    #[inline(always)]
    fn minus<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.sub_f64s(a, b)
    }
    #[inline(always)]
    fn times<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.mul_f64s(a, b)
    }
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_e_f64s(a, b, c)
    }
}

/// Asks for the cache line at `at`, which need not exist, to be fetched.
#[inline(always)]
pub(crate) fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint: it reads nothing that the program sees, and an address that is not mapped is no fault.
    #[allow(unsafe_code)]
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
