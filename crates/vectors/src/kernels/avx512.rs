//! Kernels for processors with AVX-512 and its instruction for products of bytes (VNNI).

use std::arch::x86_64::{
    __m512, _mm_add_epi32, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps, _mm_set1_epi32,
    _mm_storeu_si128, _mm_sub_epi32, _mm256_add_epi32, _mm256_add_ps, _mm256_castps256_ps128, _mm256_castsi256_si128,
    _mm256_extractf128_ps, _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_loadu_si256, _mm512_add_ps,
    _mm512_castps512_ps256, _mm512_castsi512_si256, _mm512_cvtph_ps, _mm512_dpbusd_epi32, _mm512_extracti64x4_epi64,
    _mm512_load_si512, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_maskz_loadu_ps, _mm512_mul_ps, _mm512_setzero_ps,
    _mm512_setzero_si512, _mm512_shuffle_f32x4, _mm512_storeu_ps, _mm512_sub_ps,
};

use super::{Batch, Kernels, LINE, Signed};

pub(super) const KERNELS: Kernels = Kernels {
    name: "avx512",
    // SAFETY: `supported` lists this family only where the processor has what its functions enable; so for all of them.
    dot: |a, b| unsafe { dot(a, b) },
    // SAFETY: as above.
    squared: |a, b| unsafe { squared(a, b) },
    // SAFETY: as above.
    widen: |halves, floats| unsafe { widen(halves, floats) },
    // SAFETY: as above.
    codes: |batch, query, out| unsafe { codes(batch, query, out) },
};

#[target_feature(enable = "avx512f")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |x, y| _mm512_mul_ps(x, y))
}

#[target_feature(enable = "avx512f")]
fn squared(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |x, y| {
        let difference = _mm512_sub_ps(x, y);
        _mm512_mul_ps(difference, difference)
    })
}

/// The sum of terms in the order that all families share (see `portable::lanes`).
#[inline]
#[target_feature(enable = "avx512f")]
fn sum(a: &[f32], b: &[f32], term: impl Fn(__m512, __m512) -> __m512) -> f32 {
    const WIDTH: usize = 16;
    let length = a.len().min(b.len());
    let mut sums = [_mm512_setzero_ps(); 4];
    let mut at = 0;
    while at + 4 * WIDTH <= length {
        for (step, sum) in sums.iter_mut().enumerate() {
            let from = at + step * WIDTH;
            // SAFETY: from + WIDTH ≤ at + 4·WIDTH ≤ length, and both slices have `length` elements.
            let (x, y) = unsafe { (_mm512_loadu_ps(a.as_ptr().add(from)), _mm512_loadu_ps(b.as_ptr().add(from))) };
            *sum = _mm512_add_ps(*sum, term(x, y));
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
        sums[step] = _mm512_add_ps(sums[step], term(x, y));
        step += 1;
        at += rest;
    }
    let sixteen = _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
    let upper = _mm512_castps512_ps256(_mm512_shuffle_f32x4::<0b11_10_11_10>(sixteen, sixteen));
    let eight = _mm256_add_ps(_mm512_castps512_ps256(sixteen), upper);
    let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

#[target_feature(enable = "avx512f")]
fn widen(halves: &[u16], floats: &mut [f32]) {
    let (halves, halves_rest) = halves.as_chunks::<16>();
    let (floats, floats_rest) = floats.as_chunks_mut::<16>();
    for (halves, floats) in halves.iter().zip(floats) {
        // SAFETY: both are arrays of sixteen.
        unsafe {
            let halves = _mm256_loadu_si256(halves.as_ptr().cast());
            _mm512_storeu_ps(floats.as_mut_ptr(), _mm512_cvtph_ps(halves));
        }
    }
    (super::portable::KERNELS.widen)(halves_rest, floats_rest);
}

#[target_feature(enable = "avx512f,avx512vnni,avx2")]
fn codes(batch: Batch<'_>, query: Signed<'_>, out: &mut [i32]) {
    let length = query.lines.len() * LINE;
    for (starts, out) in batch.fours(length).zip(out.chunks_mut(4)) {
        let mut sums = [_mm512_setzero_si512(); 4];
        for (step, line) in query.lines.iter().enumerate() {
            // SAFETY: a line is 64 aligned bytes.
            let q = unsafe { _mm512_load_si512(line.0.as_ptr().cast()) };
            for (sum, start) in sums.iter_mut().zip(starts) {
                // SAFETY: `fours` checked that as many bytes as all lines have follow `start`.
                let x = unsafe { _mm512_loadu_si512(batch.codes.as_ptr().add(start + step * LINE).cast()) };
                *sum = _mm512_dpbusd_epi32(*sum, x, q);
            }
        }
        let [a, b, c, d] =
            sums.map(|sum| _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64::<1>(sum)));
        let eight = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        let sum = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight));
        let mut four = [0; 4];
        // SAFETY: `four` is four numbers.
        unsafe { _mm_storeu_si128(four.as_mut_ptr().cast(), _mm_sub_epi32(sum, _mm_set1_epi32(query.offset))) };
        out.copy_from_slice(&four[..out.len()]);
    }
}
