//! What the tests and the comparison with hnswlib share: numbers to index, indexes on disk, and how recall is counted.
#![expect(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails by panicking")]

use std::{fs, path::Path};

use cutover_durable::{Map, fs::create};
use cutover_vectors::{Metric, Neighbour, Parameters, Result, VectorBuilder, VectorIndex};
use tempfile::TempDir;

pub const METRICS: [Metric; 3] = [Metric::Cosine, Metric::L2, Metric::InnerProduct];

pub fn parameters(metric: Metric, dimensions: usize) -> Parameters {
    Parameters { ef_construction: 100, seed: 42, ..Parameters::new(metric, dimensions) }
}

pub fn never() -> bool {
    false
}

/// A small generator of reproducible numbers (Marsaglia's xorshift).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 11) as usize % bound
    }

    pub fn uniform(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// About normally distributed: the sum of twelve uniform numbers has variance 1.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }

    pub fn vector(&mut self, dimensions: usize) -> Vec<f32> {
        (0..dimensions).map(|_| self.normal()).collect()
    }
}

/// `count` vectors around a few dozen centres, and as many `queries` around the same.
pub fn clustered(dimensions: usize, count: usize, queries: usize, seed: u64) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let mut random = Random::new(seed);
    let centres: Vec<Vec<f32>> = (0..40).map(|_| random.vector(dimensions)).collect();
    let mut near = |_| {
        let centre = &centres[random.below(centres.len())];
        let mut vector = random.vector(dimensions);
        vector.iter_mut().zip(centre).for_each(|(x, centre)| *x = *x * 0.4 + centre);
        vector
    };
    ((0..count).map(&mut near).collect(), (0..queries).map(&mut near).collect())
}

/// Rows of 384 half-precision floats.
pub fn read_f16(path: &Path, skip: usize) -> Vec<Vec<f32>> {
    let bytes = fs::read(path).unwrap();
    let numbers: Vec<f32> =
        bytes[skip..].as_chunks().0.iter().map(|half| half_to_float(u16::from_le_bytes(*half))).collect();
    numbers.chunks_exact(384).map(<[f32]>::to_vec).collect()
}

pub fn wordnet() -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    (read_f16(&data.join("documents.f16"), 0), read_f16(&data.join("queries.f16"), 0))
}

fn half_to_float(half: u16) -> f32 {
    let (exponent, fraction) = (i32::from(half >> 10 & 31), f32::from(half & 1023) / 1024.0);
    let magnitude =
        if exponent == 0 { fraction * 2_f32.powi(-14) } else { (1.0 + fraction) * 2_f32.powi(exponent - 15) };
    if half >> 15 == 1 { -magnitude } else { magnitude }
}

/// An index in a directory of its own.
pub struct Built {
    pub index: VectorIndex,
    pub directory: TempDir,
}

/// Every vector is the one of the ordinal at its place.
pub fn build(parameters: Parameters, vectors: &[Vec<f32>], threads: usize) -> Built {
    build_some(parameters, (0..).zip(vectors.iter().map(Vec::as_slice)), threads)
}

pub fn build_some<'a>(
    parameters: Parameters,
    vectors: impl Iterator<Item = (u32, &'a [f32])>,
    threads: usize,
) -> Built {
    let mut builder = VectorBuilder::new(parameters).unwrap();
    for (ordinal, vector) in vectors {
        builder.push(ordinal, vector).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let (graph, full) = (directory.path().join("v.graph"), directory.path().join("v.full"));
    builder.finish(create(&graph).unwrap(), create(&full).unwrap(), threads, &never, &|_, _| (), &|| ()).unwrap();
    Built { index: open(directory.path()).unwrap(), directory }
}

pub fn open(directory: &Path) -> Result<VectorIndex> {
    VectorIndex::open(Map::open(&directory.join("v.graph"))?, Map::open(&directory.join("v.full"))?)
}

/// The share of `exact` that was found; what is as near as the farthest of `exact`, but for rounding, counts as found.
pub fn recall(found: impl IntoIterator<Item = f32>, exact: &[Neighbour]) -> f64 {
    let Some(last) = exact.last() else { return 1.0 };
    let bound = last.distance + 1e-6 * last.distance.abs().max(1.0);
    let hits = found.into_iter().take(exact.len()).filter(|distance| *distance <= bound).count();
    hits as f64 / exact.len() as f64
}

/// The mean recall of the `k` nearest, with `ef` candidates.
pub fn mean_recall(index: &VectorIndex, queries: &[Vec<f32>], k: usize, ef: Option<usize>) -> f64 {
    let sum: f64 = queries
        .iter()
        .map(|query| {
            let exact = index.search_exact(query, k, None, &never).unwrap();
            let found = index.search(query, k, ef, None, &never).unwrap();
            assert_eq!(found.len(), exact.len());
            recall(found.iter().map(|hit| hit.distance), &exact)
        })
        .sum();
    sum / queries.len() as f64
}

/// Overwrites the words of a section, found by the format's own description.
pub fn with_words(good: &[u8], section: &str, change: impl Fn(&mut [u32])) -> Vec<u8> {
    let mut bad = good.to_vec();
    let word = |at: usize| u64::from_le_bytes(good[at..at + 8].try_into().unwrap()) as usize;
    let table = word(good.len() - 32);
    let entry = (table..good.len() - 32).step_by(40).find(|&at| good[at..].starts_with(section.as_bytes())).unwrap();
    let (offset, length) = (word(entry + 24), word(entry + 32));
    let mut words: Vec<u32> =
        bad[offset..offset + length].as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    change(&mut words);
    bad[offset..offset + length]
        .copy_from_slice(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>());
    bad
}
