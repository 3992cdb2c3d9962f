//! What a search of cells has found, and what that says of the members that it has not seen.

use crate::{distance::Key, scan::Nearest};

/// Nodes that are measured before their deviation is believed.
const LEAST_SEEN: usize = 64;
/// The nearest found must be nearer than the mean by so much of what the nearest of so many normal numbers would be.
const APART: f64 = 0.75;

/// What is known of a cell's members before one is measured.
#[derive(Clone, Copy)]
pub(super) struct Outlook {
    /// The mean distance of a member.
    pub(super) mean: f32,
    /// What deviations are multiples of.
    pub(super) unit: f32,
    /// Which share of its members is allowed.
    pub(super) share: f32,
}

/// What was found so far.
pub(super) struct Found {
    sought: Nearest,
    /// How many are sought.
    count: usize,
    /// Those sought, and others.
    others: Option<Nearest>,
    all: Nearest,
    seen: usize,
    /// Of the distances seen.
    sum: f64,
    sum_of_squares: f64,
    /// Of their deviations, in units.
    squares: f64,
    /// Of the shares that were allowed where they are.
    shares: f64,
    deviations: f64,
    where_rare: f64,
}

impl Found {
    /// Nothing yet, of which the nearest `sought`, `room` and `most` are kept. A member is nearer than its cell's mean by so many deviations
    /// at most, and by more where few are allowed.
    pub(super) fn new(sought: usize, room: usize, most: usize, deviations: f64, where_rare: f64) -> Self {
        let nearest = |count| Nearest::new(count, f32::INFINITY);
        Self {
            sought: nearest(sought),
            count: sought,
            others: (room > sought).then(|| nearest(room)),
            all: nearest(most),
            seen: 0,
            sum: 0.0,
            sum_of_squares: 0.0,
            squares: 0.0,
            shares: 0.0,
            deviations,
            where_rare,
        }
    }

    /// How many were measured.
    pub(super) fn seen(&self) -> usize {
        self.seen
    }

    /// The nearest `room`, and the nearest `most`, in no order.
    pub(super) fn kept(self) -> (Vec<Key>, Vec<Key>) {
        (self.others.unwrap_or(self.sought).kept(), self.all.kept())
    }

    /// Adds measured members of a cell.
    pub(super) fn add(&mut self, keys: &[Key], Outlook { mean, unit, share }: Outlook) {
        self.shares += f64::from(share) * keys.len() as f64;
        let (mut offs, mut squares) = (0.0, 0.0);
        for &key in keys {
            let off = key.distance() - mean;
            offs += off;
            squares += off * off;
            self.sought.offer(key);
            self.all.offer(key);
        }
        if let Some(others) = &mut self.others {
            for &key in keys {
                others.offer(key);
            }
        }
        let (count, mean, offs, squares) = (keys.len() as f64, f64::from(mean), f64::from(offs), f64::from(squares));
        self.seen += keys.len();
        self.sum += count * mean + offs;
        self.sum_of_squares += count * mean * mean + 2.0 * mean * offs + squares;
        let squares = squares / f64::from(unit * unit).max(f64::MIN_POSITIVE);
        if squares.is_finite() {
            self.squares += squares;
        }
    }

    /// Whether what was found is nearer than what was seen as the nearest of so many should be.
    pub(super) fn is_apart(&mut self) -> bool {
        let seen = self.seen as f64;
        let mean = self.sum / seen;
        let deviation = (self.sum_of_squares / seen - mean * mean).max(0.0).sqrt();
        let nearer = mean - f64::from(self.sought.bound());
        nearer >= APART * normal_quantile(self.count as f64 / seen) * deviation
    }

    /// Whether hardly a member of a cell is as near as the farthest of those sought that were found so far.
    pub(super) fn is_beyond(&mut self, cell: Outlook) -> bool {
        if self.seen < LEAST_SEEN {
            return false;
        }
        let share = self.shares / self.seen as f64;
        let deviation = (self.squares / self.seen as f64).sqrt();
        let farthest = self.deviations * (1.0 + self.where_rare * (1.0 - share)) * deviation;
        cell.mean - farthest as f32 * cell.unit > self.sought.about_bound()
    }
}

/// The number that a normal one exceeds with probability `p`, which counts as ½ at most; off by less than .0005 (Abramowitz & Stegun 1964,
/// 26.2.23).
pub(super) fn normal_quantile(p: f64) -> f64 {
    let t = (-2.0 * p.clamp(f64::MIN_POSITIVE, 0.5).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    t - above / below
}
