//! Kernels that any processor runs: loops that a compiler turns into whatever vectors there are.

use crate::half;

use super::{Batch, Kernels, LINE, Signed};

pub(super) const KERNELS: Kernels = Kernels {
    name: "portable",
    dot: |a, b| lanes(a, b, |x, y| x * y),
    squared: |a, b| lanes(a, b, |x, y| (x - y) * (x - y)),
    widen: |halves, floats| {
        for (half, float) in halves.iter().zip(floats) {
            *float = half::widen(*half);
        }
    },
    codes,
};

/// Lanes of one vector of the widest family.
const LANES: usize = 16;

/// Sums as every family does: number i of a row goes to lane i mod 64; the four vectors of 16 lanes are added pairwise, then
/// the halves of what is left, down to one.
#[inline]
fn lanes(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let length = a.len().min(b.len());
    let (a_blocks, a_rest) = a[..length].as_chunks::<{ 4 * LANES }>();
    let (b_blocks, b_rest) = b[..length].as_chunks::<{ 4 * LANES }>();
    let mut sums = [0.0_f32; 4 * LANES];
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..4 * LANES {
            sums[lane] += term(x[lane], y[lane]);
        }
    }
    for (sum, (x, y)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += term(*x, *y);
    }
    let mut sixteen: [f32; LANES] =
        std::array::from_fn(|i| (sums[i] + sums[i + LANES]) + (sums[i + 2 * LANES] + sums[i + 3 * LANES]));
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sixteen[lane] += sixteen[lane + width];
        }
        width /= 2;
    }
    sixteen[0]
}

fn codes(batch: Batch<'_>, query: Signed<'_>, out: &mut [i32]) {
    let length = query.lines.len() * LINE;
    let numbers: &[i8] = bytemuck::cast_slice(query.lines);
    for (&node, out) in batch.nodes.iter().zip(out) {
        let start = batch.start(node, length);
        let code = &batch.codes[start..start + length];
        let sum: i32 = code.iter().zip(numbers).map(|(&x, &q)| i32::from(x) * i32::from(q)).sum();
        *out = sum - query.offset;
    }
}
