//! What a graph is built over: points that can be measured from one another, four at a time and more.

/// Points numbered from 0, whose distances are symmetric and never NaN.
pub(crate) trait Points: Sync {
    /// A point made ready to be measured from; its memory is kept for the next.
    type From: Default + Send;

    /// Makes a point ready to be measured from.
    fn prepare(&self, node: u32, from: &mut Self::From);

    /// Asks for a point's memory before it is measured.
    fn prefetch(&self, node: u32);

    /// Writes the distance to each of `nodes` into the first places of `distances`, which has at least as many.
    fn measure(&self, from: &Self::From, nodes: &[u32], distances: &mut [f32]);
}
