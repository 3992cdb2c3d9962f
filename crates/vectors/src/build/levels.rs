//! How high each node of a graph reaches: hnswlib's distribution, from a seed alone.

use crate::format::MAX_LEVEL;

/// The levels of the nodes of a graph, without end: level l or higher with probability m⁻ˡ.
pub(crate) fn levels(m: usize, seed: u64) -> impl Iterator<Item = u8> {
    let scale = 1.0 / (m as f64).ln();
    let mut state = seed;
    std::iter::repeat_with(move || {
        // In (0, 1], so that the logarithm is finite.
        let uniform = ((split_mix(&mut state) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        let level = -uniform.ln() * scale;
        (1..=MAX_LEVEL).take_while(|&next| f64::from(next) <= level).last().unwrap_or(0)
    })
}

/// The next number of Steele, Lea and Flood's `SplitMix64`.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
