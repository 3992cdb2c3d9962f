//! Inner products and squared distances of f32 rows, by the widest instructions that this processor has.
//!
//! The sum of a kernel depends on its width, so two processors may differ in the last bit; one process always uses the
//! same kernel. Rows of different lengths are compared over the shorter one; callers make sure that there are none.
#![expect(unsafe_code, reason = "vector instructions, and the pointers that load them, exist as unsafe functions only")]

use std::sync::OnceLock;

type Kernel = fn(&[f32], &[f32]) -> f32;

/// One family of kernels.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    #[cfg(test)]
    pub(crate) name: &'static str,
    /// Σ aᵢ·bᵢ
    pub(crate) dot: Kernel,
    /// Σ (aᵢ−bᵢ)²
    pub(crate) squared: Kernel,
}

/// The kernels of this processor, chosen once.
pub(crate) fn kernels() -> Kernels {
    static CHOSEN: OnceLock<Kernels> = OnceLock::new();
    *CHOSEN.get_or_init(|| supported()[0])
}

/// Every family that this processor can run, the fastest first.
pub(crate) fn supported() -> Vec<Kernels> {
    let mut families = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            families.push(x86::AVX512);
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            families.push(x86::AVX2);
        }
    }
    families.push(PORTABLE);
    families
}

/// Asks for a row before it is needed: its first cache lines, after which the processor follows by itself.
#[inline]
pub(crate) fn prefetch<T>(row: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let bytes = size_of_val(row).min(PREFETCHED_BYTES);
        for offset in (0..bytes).step_by(64) {
            // SAFETY: a prefetch has no effect but on the cache, at any address; this one is inside `row`.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().cast::<i8>().add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

#[cfg(target_arch = "x86_64")]
const PREFETCHED_BYTES: usize = 512;

const PORTABLE: Kernels = Kernels {
    #[cfg(test)]
    name: "portable",
    dot: |a, b| lanes(a, b, |sum, x, y| sum + x * y),
    squared: |a, b| lanes(a, b, |sum, x, y| sum + (x - y) * (x - y)),
};

/// Sums in sixteen lanes, which any compiler turns into whatever vectors there are.
#[inline]
fn lanes(a: &[f32], b: &[f32], add: impl Fn(f32, f32, f32) -> f32) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] = add(sums[lane], x[lane], y[lane]);
        }
    }
    for (sum, (x, y)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum = add(*sum, *x, *y);
    }
    sums.iter().sum()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m512, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps, _mm256_add_ps,
        _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps,
        _mm256_sub_ps, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_maskz_loadu_ps, _mm512_reduce_add_ps,
        _mm512_setzero_ps, _mm512_sub_ps,
    };

    use super::Kernels;

    pub(super) const AVX512: Kernels = Kernels {
        #[cfg(test)]
        name: "avx512",
        // SAFETY: `supported` lists this family only where the processor has AVX-512F.
        dot: |a, b| unsafe { dot_avx512(a, b) },
        // SAFETY: as above.
        squared: |a, b| unsafe { squared_avx512(a, b) },
    };

    pub(super) const AVX2: Kernels = Kernels {
        #[cfg(test)]
        name: "avx2",
        // SAFETY: `supported` lists this family only where the processor has AVX2 and FMA.
        dot: |a, b| unsafe { dot_avx2(a, b) },
        // SAFETY: as above.
        squared: |a, b| unsafe { squared_avx2(a, b) },
    };

    #[target_feature(enable = "avx512f")]
    fn dot_avx512(a: &[f32], b: &[f32]) -> f32 {
        sum_avx512(a, b, |sum, x, y| _mm512_fmadd_ps(x, y, sum))
    }

    #[target_feature(enable = "avx512f")]
    fn squared_avx512(a: &[f32], b: &[f32]) -> f32 {
        sum_avx512(a, b, |sum, x, y| {
            let difference = _mm512_sub_ps(x, y);
            _mm512_fmadd_ps(difference, difference, sum)
        })
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sum_avx512(a: &[f32], b: &[f32], add: impl Fn(__m512, __m512, __m512) -> __m512) -> f32 {
        const WIDTH: usize = 16;
        let length = a.len().min(b.len());
        let mut sums = [_mm512_setzero_ps(); 4];
        let mut at = 0;
        while at + 4 * WIDTH <= length {
            for (step, sum) in sums.iter_mut().enumerate() {
                let from = at + step * WIDTH;
                // SAFETY: from + WIDTH ≤ at + 4·WIDTH ≤ length, and both slices have `length` elements.
                let (x, y) = unsafe { (_mm512_loadu_ps(a.as_ptr().add(from)), _mm512_loadu_ps(b.as_ptr().add(from))) };
                *sum = add(*sum, x, y);
            }
            at += 4 * WIDTH;
        }
        let mut step = 0;
        while at < length {
            let rest = (length - at).min(WIDTH);
            let mask = u16::MAX >> (WIDTH - rest);
            // SAFETY: the mask has the lowest `rest` bits set, and at + rest ≤ length; lanes that are off load nothing.
            let (x, y) = unsafe {
                (_mm512_maskz_loadu_ps(mask, a.as_ptr().add(at)), _mm512_maskz_loadu_ps(mask, b.as_ptr().add(at)))
            };
            sums[step] = add(sums[step], x, y);
            step += 1;
            at += rest;
        }
        _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])))
    }

    #[target_feature(enable = "avx2,fma")]
    fn dot_avx2(a: &[f32], b: &[f32]) -> f32 {
        sum_avx2(a, b, |sum, x, y| _mm256_fmadd_ps(x, y, sum), |sum, x, y| x.mul_add(y, sum))
    }

    #[target_feature(enable = "avx2,fma")]
    fn squared_avx2(a: &[f32], b: &[f32]) -> f32 {
        sum_avx2(
            a,
            b,
            |sum, x, y| {
                let difference = _mm256_sub_ps(x, y);
                _mm256_fmadd_ps(difference, difference, sum)
            },
            |sum, x, y| (x - y).mul_add(x - y, sum),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn sum_avx2(
        a: &[f32],
        b: &[f32],
        add: impl Fn(__m256, __m256, __m256) -> __m256,
        add_one: impl Fn(f32, f32, f32) -> f32,
    ) -> f32 {
        const WIDTH: usize = 8;
        let length = a.len().min(b.len());
        let mut sums = [_mm256_setzero_ps(); 4];
        let mut at = 0;
        while at + 4 * WIDTH <= length {
            for (step, sum) in sums.iter_mut().enumerate() {
                let from = at + step * WIDTH;
                // SAFETY: from + WIDTH ≤ at + 4·WIDTH ≤ length, and both slices have `length` elements.
                let (x, y) = unsafe { (_mm256_loadu_ps(a.as_ptr().add(from)), _mm256_loadu_ps(b.as_ptr().add(from))) };
                *sum = add(*sum, x, y);
            }
            at += 4 * WIDTH;
        }
        while at + WIDTH <= length {
            // SAFETY: at + WIDTH ≤ length, and both slices have `length` elements.
            let (x, y) = unsafe { (_mm256_loadu_ps(a.as_ptr().add(at)), _mm256_loadu_ps(b.as_ptr().add(at))) };
            sums[0] = add(sums[0], x, y);
            at += WIDTH;
        }
        let rest = a[at..length].iter().zip(&b[at..length]).fold(0.0, |sum, (x, y)| add_one(sum, *x, *y));
        let both = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
        let four = _mm_add_ps(_mm256_castps256_ps128(both), _mm256_extractf128_ps::<1>(both));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two))) + rest
    }
}
