//! Kernels for processors with AVX2.

use std::arch::x86_64::{
    __m256, __m256i, _mm_add_epi32, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_loadu_si128, _mm_movehdup_ps,
    _mm_movehl_ps, _mm_set1_epi32, _mm_storeu_si128, _mm_sub_epi32, _mm256_abs_epi8, _mm256_add_epi32, _mm256_add_ps,
    _mm256_castps256_ps128, _mm256_castsi256_si128, _mm256_cvtph_ps, _mm256_extractf128_ps, _mm256_extracti128_si256,
    _mm256_hadd_epi32, _mm256_load_si256, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_mul_ps, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_sign_epi8,
    _mm256_storeu_ps, _mm256_sub_ps, _mm256_xor_si256,
};

use super::{Batch, Kernels, LINE, Signed};

pub(super) const KERNELS: Kernels = Kernels {
    name: "avx2",
    // SAFETY: `supported` lists this family only where the processor has AVX2 and F16C; so for all of them.
    dot: |a, b| unsafe { dot(a, b) },
    // SAFETY: as above.
    squared: |a, b| unsafe { squared(a, b) },
    // SAFETY: as above.
    widen: |halves, floats| unsafe { widen(halves, floats) },
    // SAFETY: as above.
    codes: |batch, query, out| unsafe { codes(batch, query, out) },
};

#[target_feature(enable = "avx2")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |x, y| _mm256_mul_ps(x, y))
}

#[target_feature(enable = "avx2")]
fn squared(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |x, y| {
        let difference = _mm256_sub_ps(x, y);
        _mm256_mul_ps(difference, difference)
    })
}

/// The sum of terms in the order that all families share (see `portable::lanes`).
#[inline]
#[target_feature(enable = "avx2")]
fn sum(a: &[f32], b: &[f32], term: impl Fn(__m256, __m256) -> __m256) -> f32 {
    const WIDTH: usize = 8;
    let length = a.len().min(b.len());
    let mut sums = [_mm256_setzero_ps(); 8];
    let mut at = 0;
    while at + 8 * WIDTH <= length {
        for (step, sum) in sums.iter_mut().enumerate() {
            let from = at + step * WIDTH;
            // SAFETY: from + WIDTH ≤ at + 8·WIDTH ≤ length, and both slices have `length` elements.
            let (x, y) = unsafe { (_mm256_loadu_ps(a.as_ptr().add(from)), _mm256_loadu_ps(b.as_ptr().add(from))) };
            *sum = _mm256_add_ps(*sum, term(x, y));
        }
        at += 8 * WIDTH;
    }
    let mut step = 0;
    while at + WIDTH <= length {
        // SAFETY: at + WIDTH ≤ length, and both slices have `length` elements.
        let (x, y) = unsafe { (_mm256_loadu_ps(a.as_ptr().add(at)), _mm256_loadu_ps(b.as_ptr().add(at))) };
        sums[step] = _mm256_add_ps(sums[step], term(x, y));
        step += 1;
        at += WIDTH;
    }
    if at < length {
        let (mut x, mut y) = ([0.0; WIDTH], [0.0; WIDTH]);
        x[..length - at].copy_from_slice(&a[at..length]);
        y[..length - at].copy_from_slice(&b[at..length]);
        // SAFETY: both arrays are eight floats.
        let (x, y) = unsafe { (_mm256_loadu_ps(x.as_ptr()), _mm256_loadu_ps(y.as_ptr())) };
        sums[step] = _mm256_add_ps(sums[step], term(x, y));
    }
    // Two of these vectors are one of sixteen lanes.
    let half = |i: usize| _mm256_add_ps(_mm256_add_ps(sums[i], sums[i + 2]), _mm256_add_ps(sums[i + 4], sums[i + 6]));
    let eight = _mm256_add_ps(half(0), half(1));
    let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

#[target_feature(enable = "avx2,f16c")]
fn widen(halves: &[u16], floats: &mut [f32]) {
    let (halves, halves_rest) = halves.as_chunks::<8>();
    let (floats, floats_rest) = floats.as_chunks_mut::<8>();
    for (halves, floats) in halves.iter().zip(floats) {
        // SAFETY: both are arrays of eight.
        unsafe {
            let halves = _mm_loadu_si128(halves.as_ptr().cast());
            _mm256_storeu_ps(floats.as_mut_ptr(), _mm256_cvtph_ps(halves));
        }
    }
    (super::portable::KERNELS.widen)(halves_rest, floats_rest);
}

/// Half a line: what one load takes here.
const HALF: usize = LINE / 2;

/// `sum` plus the products of signed bytes, added in fours. Exact: no sum of two products reaches 2¹⁵, since no number of a
/// query or a code is −128.
#[inline]
#[target_feature(enable = "avx2")]
fn product(sum: __m256i, x: __m256i, q: __m256i) -> __m256i {
    let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_sign_epi8(x, q));
    _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
}

#[target_feature(enable = "avx2")]
fn codes(batch: Batch<'_>, query: Signed<'_>, out: &mut [i32]) {
    if query.small {
        let one = _mm256_set1_epi16(1);
        // Numbers as stored, which the query is small enough for.
        products(batch, query, out, query.offset, |sum, x, q| {
            _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(x, q), one))
        });
    } else {
        let flip = _mm256_set1_epi8(-128);
        products(batch, query, out, 0, |sum, x, q| product(sum, _mm256_xor_si256(x, flip), q));
    }
}

/// The products of a batch, less what `add` adds to each.
#[inline]
#[target_feature(enable = "avx2")]
fn products(
    batch: Batch<'_>,
    query: Signed<'_>,
    out: &mut [i32],
    added: i32,
    add: impl Fn(__m256i, __m256i, __m256i) -> __m256i,
) {
    let length = query.lines.len() * LINE;
    for (starts, out) in batch.fours(length).zip(out.chunks_mut(4)) {
        let mut sums = [_mm256_setzero_si256(); 4];
        for (step, line) in query.lines.iter().enumerate() {
            for half in [0, HALF] {
                // SAFETY: a line is 64 aligned bytes.
                let q = unsafe { _mm256_load_si256(line.0.as_ptr().add(half).cast()) };
                for (sum, start) in sums.iter_mut().zip(starts) {
                    let from = start + step * LINE + half;
                    // SAFETY: `fours` checked that as many bytes as all lines have follow `start`.
                    let x = unsafe { _mm256_loadu_si256(batch.codes.as_ptr().add(from).cast()) };
                    *sum = add(*sum, x, q);
                }
            }
        }
        let [a, b, c, d] = sums;
        let eight = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        let sum = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight));
        let mut four = [0; 4];
        // SAFETY: `four` is four numbers.
        unsafe { _mm_storeu_si128(four.as_mut_ptr().cast(), _mm_sub_epi32(sum, _mm_set1_epi32(added))) };
        out.copy_from_slice(&four[..out.len()]);
    }
}
