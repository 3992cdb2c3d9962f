//! The inner loops: products and distances of float rows, and products of 8-bit codes.
//!
//! There is a family of kernels for every set of instructions; a process uses one, the widest that its processor has. All
//! families give the same result to the bit: integers are exact, and floats are added in one order (see `portable`), without fused
//! steps, so an answer does not depend on the machine that computes it.
//!
//! The environment variable `CUTOVER_SIMD` (`avx512`, `avx2` or `portable`) forces a family where the processor has it; it is
//! looked at once. Any other value changes nothing; [`crate::simd`] says what is used.
#![expect(unsafe_code, reason = "vector instructions, and the pointers that load them, exist as unsafe functions only")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use std::{env, sync::OnceLock};

/// A sum over two float rows of one length. Of rows of different lengths the shorter counts; callers see that there are none.
pub(crate) type FloatKernel = fn(&[f32], &[f32]) -> f32;
/// Half floats as floats, in as much room.
pub(crate) type WidenKernel = fn(&[u16], &mut [f32]);
/// The products of a query and of the code of each node of a list, with room for as many.
pub(crate) type CodesKernel = fn(Batch<'_>, Signed<'_>, &mut [i32]);

/// Signed numbers of a query that one wide load takes.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [i8; LINE]);

// SAFETY: 64 numbers for which any bits are a value, zeroes too, aligned as the whole is: there is no padding.
unsafe impl bytemuck::Zeroable for Line {}
// SAFETY: as above, without pointers or cells, and `Copy`.
unsafe impl bytemuck::Pod for Line {}

/// A query as signed numbers, none of them −128.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) lines: &'a [Line],
    /// 128 times the sum of them: what storing codes plus 128 adds to every product.
    pub(crate) offset: i32,
    /// Whether none is beyond ±[`SMALL`].
    pub(crate) small: bool,
}

/// Two products of a number of a code as stored, at most 255, and a number up to this do not reach 2¹⁵ together.
pub(crate) const SMALL: i8 = 63;
/// Bytes of a cache line, and of the widest load.
pub(crate) const LINE: usize = 64;

/// Codes in memory, and of which nodes' codes the products are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// The code of node i begins at `i * stride`, and as many bytes as the query has can be read from there. Numbers of a code
    /// are stored plus 128 and are at least 1; those behind its last do not matter, because the query is 0 there.
    pub(crate) codes: &'a [u8],
    /// Bytes from one code to the next.
    pub(crate) stride: usize,
    /// The nodes, in any order.
    pub(crate) nodes: &'a [u32],
}

impl Batch<'_> {
    /// Where the nodes' codes begin, four at a time; a list that is no multiple of four ends with its last again.
    ///
    /// # Panics
    /// Unless `length` bytes follow each: callers have checked their nodes.
    #[inline]
    fn fours(&self, length: usize) -> impl Iterator<Item = [usize; 4]> {
        let last = self.nodes.len().saturating_sub(1);
        (0..self.nodes.len())
            .step_by(4)
            .map(move |at| std::array::from_fn(|i| self.start(self.nodes[(at + i).min(last)], length)))
    }

    /// Where a node's code begins.
    ///
    /// # Panics
    /// Unless `length` bytes follow: callers have checked their nodes.
    #[inline]
    fn start(&self, node: u32, length: usize) -> usize {
        let start = node as usize * self.stride;
        assert!(start < self.codes.len() && self.codes.len() - start >= length, "node {node} has no code");
        start
    }
}

/// One family of kernels.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    pub(crate) name: &'static str,
    /// Σ aᵢ·bᵢ
    pub(crate) dot: FloatKernel,
    /// Σ (aᵢ−bᵢ)²
    pub(crate) squared: FloatKernel,
    /// Half floats as floats.
    pub(crate) widen: WidenKernel,
    /// Σ (codeᵢ−128)·queryᵢ
    pub(crate) codes: CodesKernel,
}

/// The kernels of this process, chosen once.
pub(crate) fn kernels() -> Kernels {
    static CHOSEN: OnceLock<Kernels> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let families = supported();
        let forced = env::var("CUTOVER_SIMD").ok();
        *families.iter().find(|family| Some(family.name) == forced.as_deref()).unwrap_or(&families[0])
    })
}

/// The family of kernels that this process uses: `avx512`, `avx2` or `portable`. The environment variable `CUTOVER_SIMD`
/// forces one that the processor has; any other value changes nothing. Answers are the same with each.
#[must_use]
pub fn simd() -> &'static str {
    kernels().name
}

/// Every family that this processor can run, the fastest first.
pub(crate) fn supported() -> Vec<Kernels> {
    let mut families = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vnni")
        {
            families.push(avx512::KERNELS);
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c") {
            families.push(avx2::KERNELS);
        }
    }
    families.push(portable::KERNELS);
    families
}

/// Asks for all cache lines of `bytes` before they are needed, up to [`PREFETCHED_LINES`]; the processor follows by itself
/// after that. They come to the second-level cache: more of them can be on their way to it than to the first (measured: searches
/// in 384 dimensions took 1.6 times as long with lines asked for by the first).
#[inline]
pub(crate) fn prefetch<T>(bytes: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        let length = size_of_val(bytes).min(PREFETCHED_LINES * LINE);
        for offset in (0..length).step_by(LINE) {
            // SAFETY: a prefetch has no effect but on the cache, at any address; this one is inside `bytes`.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(bytes.as_ptr().cast::<i8>().add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

#[cfg(target_arch = "x86_64")]
const PREFETCHED_LINES: usize = 16;
