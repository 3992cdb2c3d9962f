//! The data sets: W and a third, which `bench/data-w.mjs` and `bench/data-third.mjs` made, and M, the folder that the other
//! benchmarks take.

use std::{fs, path::Path};

/// Rows of equally many floats, one after another.
pub struct Rows {
    flat: Vec<f32>,
    dimensions: usize,
}

impl Rows {
    pub fn new(flat: Vec<f32>, dimensions: usize) -> Self {
        Self { flat, dimensions }
    }

    pub fn len(&self) -> usize {
        self.flat.len() / self.dimensions
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub fn flat(&self) -> &[f32] {
        &self.flat
    }

    pub fn row(&self, at: usize) -> &[f32] {
        &self.flat[at * self.dimensions..][..self.dimensions]
    }

    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.flat.chunks_exact(self.dimensions)
    }

    /// The same with length 1.
    pub fn unit(&self) -> Self {
        let mut flat = self.flat.clone();
        for row in flat.chunks_exact_mut(self.dimensions) {
            let length = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            row.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
        }
        Self { flat, dimensions: self.dimensions }
    }

    /// So many copies of every row, each but the first with noise of a tenth of its length added.
    pub fn tiled(&self, times: usize) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut uniform = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
        };
        let mut flat = self.flat.clone();
        for _ in 1..times {
            for row in self.iter() {
                let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                // A uniform number in ±½ has a deviation of 1/√12.
                let scale = 0.1 * length * (12.0 / self.dimensions as f32).sqrt();
                flat.extend(row.iter().map(|x| x + scale * uniform()));
            }
        }
        Self { flat, dimensions: self.dimensions }
    }
}

/// Vectors, queries, and the rows of each query's nearest, nearest first.
pub struct Data {
    pub name: &'static str,
    pub base: Rows,
    pub queries: Rows,
    pub truth: Vec<Vec<u32>>,
}

impl Data {
    /// Reads the folder, whose data set the files in it tell.
    pub fn read(folder: &Path) -> Self {
        let file = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        for (name, prefix) in [("W", "w"), ("third", "third")] {
            if !folder.join(format!("{prefix}.f32")).exists() {
                continue;
            }
            let truth = numbers(&file(&format!("{prefix}-truth.i32")), u32::from_le_bytes);
            let truth: Vec<_> = truth.chunks_exact(100).map(<[u32]>::to_vec).collect();
            let queries = numbers(&file(&format!("{prefix}-queries.f32")), f32::from_le_bytes);
            let dimensions = queries.len() / truth.len();
            let base = Rows::new(numbers(&file(&format!("{prefix}.f32")), f32::from_le_bytes), dimensions);
            return Self { name, base, queries: Rows::new(queries, dimensions), truth };
        }
        // Array files of version 1.0 whose header has 128 bytes.
        let truth = numbers(&file("ground-truth-all-ids.npy")[128..], u32::from_le_bytes);
        let truth: Vec<_> = truth.chunks_exact(100).map(<[u32]>::to_vec).collect();
        let mut queries = numbers(&file("query-vectors.f16.npy")[128..], half);
        queries.truncate(truth.len() * 384);
        let base = Rows::new(numbers(&file("document-vectors.f16.npy")[128..], half), 384);
        Self { name: "M", base, queries: Rows::new(queries, 384), truth }
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| from(*chunk)).collect()
}

fn half(bytes: [u8; 2]) -> f32 {
    let half = u16::from_le_bytes(bytes);
    let (exponent, fraction) = (i32::from(half >> 10 & 31), f32::from(half & 1023) / 1024.0);
    let size = if exponent == 0 { fraction * 2_f32.powi(-14) } else { (1.0 + fraction) * 2_f32.powi(exponent - 15) };
    if half >> 15 == 1 { -size } else { size }
}

/// Rows of the `k` nearest by cosine among the allowed, nearest first, by measuring all of them.
pub fn exact(unit: &Rows, query: &[f32], k: usize, allowed: impl Fn(usize) -> bool) -> Vec<u32> {
    let mut near: Vec<(f32, u32)> = (0..)
        .zip(unit.iter())
        .filter(|(row, _)| allowed(*row as usize))
        .map(|(row, vector)| (-dot(vector, query), row))
        .collect();
    let k = k.min(near.len());
    if k > 0 && k < near.len() {
        near.select_nth_unstable_by(k - 1, |one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    }
    near.truncate(k);
    near.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    near.into_iter().map(|(_, row)| row).collect()
}

/// An inner product in sixteen sums, which the compiler makes wide instructions of.
pub fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let (ones, others) = (one.as_chunks::<16>(), other.as_chunks::<16>());
    for (a, b) in ones.0.iter().zip(others.0) {
        for at in 0..16 {
            sums[at] += a[at] * b[at];
        }
    }
    sums.iter().sum::<f32>() + ones.1.iter().zip(others.1).map(|(a, b)| a * b).sum::<f32>()
}

/// The share of the `k` nearest that was found.
pub fn recall(found: &[u32], truth: &[u32], k: usize) -> f64 {
    let right = &truth[..k.min(truth.len())];
    if right.is_empty() {
        return 1.0;
    }
    right.iter().filter(|row| found.contains(row)).count() as f64 / right.len() as f64
}
