//! Measuring every allowed node, one after another.

use crate::{
    distance::Key,
    error::{Error, Result},
    filter::Filter,
    measure::Measure,
    ordinals::Ordinals,
};

/// Nodes that are measured at a time, and asked for while those before them are measured.
const BATCH: usize = 64;
/// Batches between two looks at the cancel flag.
const CANCEL_EVERY: usize = 16;
/// Below one allowed ordinal in so many, finding each one's node is cheaper than asking every node.
const SPARSE: usize = 8;

/// The nearest keys of many, found without sorting them all.
pub(crate) struct Nearest {
    keys: Vec<Key>,
    room: usize,
    bound: Key,
}

impl Nearest {
    /// Will keep the `room` nearest, and none beyond `bound`.
    pub(crate) fn new(room: usize, bound: f32) -> Self {
        Self { keys: Vec::new(), room, bound: Key::new(bound, u32::MAX) }
    }

    #[inline]
    pub(crate) fn offer(&mut self, key: Key) {
        if key < self.bound {
            self.keys.push(key);
            if self.keys.len() >= 2 * self.room + BATCH {
                self.cut();
            }
        }
    }

    /// The distance of the farthest that would be kept if no more came; infinite while there is room.
    pub(crate) fn bound(&mut self) -> f32 {
        self.cut();
        self.bound.distance()
    }

    /// As [`Nearest::bound`], or the distance of one that is kept for now, for less work.
    pub(crate) fn about_bound(&mut self) -> f32 {
        let is_first = self.bound.distance().is_infinite() && self.keys.len() >= self.room;
        if is_first || self.keys.len() > self.room + self.room / 16 {
            self.cut();
        }
        self.bound.distance()
    }

    #[cold]
    fn cut(&mut self) {
        if let Some(last) = self.room.checked_sub(1).filter(|last| *last < self.keys.len()) {
            self.bound = *self.keys.select_nth_unstable(last).1;
            self.keys.truncate(self.room);
        }
    }

    /// What was kept, in no order.
    pub(crate) fn kept(mut self) -> Vec<Key> {
        self.cut();
        self.keys
    }

    /// What was kept, nearest first.
    pub(crate) fn sorted(mut self) -> Vec<Key> {
        self.cut();
        self.keys.sort_unstable();
        self.keys
    }
}

/// What a scan found.
pub(crate) struct Scanned {
    /// In no order.
    pub(crate) keys: Vec<Key>,
    pub(crate) measured: usize,
}

/// The `room` nearest nodes; of those at equal distance the first. None is farther than `bound`.
pub(crate) fn scan(
    ordinals: Ordinals,
    measure: &impl Measure,
    room: usize,
    bound: f32,
    allowed: Option<&Filter>,
    cancel: &dyn Fn() -> bool,
) -> Result<Scanned> {
    let nearest = Nearest::new(room, bound);
    let all = 0..ordinals.len() as u32;
    match allowed {
        None => offer_all(measure, nearest, all, cancel),
        Some(filter) if ordinals.are_rows() || filter.count() < ordinals.len() / SPARSE => {
            let nodes = filter.allowed().ones().filter_map(|ordinal| ordinals.find(u32::try_from(ordinal).ok()?));
            offer_all(measure, nearest, nodes, cancel)
        }
        Some(filter) => {
            let nodes = all.filter(|&node| filter.allowed().contains(ordinals.get(node) as usize));
            offer_all(measure, nearest, nodes, cancel)
        }
    }
}

fn offer_all(
    measure: &impl Measure,
    mut nearest: Nearest,
    mut nodes: impl Iterator<Item = u32>,
    cancel: &dyn Fn() -> bool,
) -> Result<Scanned> {
    if nearest.room == 0 {
        return Ok(Scanned { keys: Vec::new(), measured: 0 });
    }
    let mut measured = 0;
    let (mut now, mut soon, mut keys) = (Vec::new(), Vec::new(), Vec::with_capacity(BATCH));
    for batch in 0_usize.. {
        if batch.is_multiple_of(CANCEL_EVERY) && cancel() {
            return Err(Error::Cancelled);
        }
        soon.clear();
        soon.extend(nodes.by_ref().take(BATCH).inspect(|&node| measure.prefetch(node)));
        keys.clear();
        measure.keys(&now, &mut keys);
        measured += keys.len();
        for &key in &keys {
            nearest.offer(key);
        }
        if soon.is_empty() {
            break;
        }
        std::mem::swap(&mut now, &mut soon);
    }
    Ok(Scanned { keys: nearest.kept(), measured })
}
