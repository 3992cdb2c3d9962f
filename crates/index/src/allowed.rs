//! What a filter allows of a version: one bitset for each segment, tombstones taken out, for every leg of a query.
//!
//! A compiled filter is kept with its version, since pages, batches and facets ask the same again and globs are dear: the filters used
//! last, within a bound of memory.

use crate::cancel::Cancel;
use crate::error::Result;
use crate::filter::{self, Parsed};
use crate::segment::SegmentView;
use crate::snapshot::Snapshot;
use cutover_vectors::Filter;
use fixedbitset::FixedBitSet;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// Compiled filters that a version keeps.
const MOST_KEPT: usize = 32;
/// Bytes that they may take together.
const MOST_BYTES: usize = 16 << 20;
/// The longest filter that is kept, in bytes of its JSON.
const LONGEST_KEPT: usize = 64 << 10;

/// The ordinals of each segment that may be found.
#[derive(Debug)]
pub(crate) struct Allowed {
    /// By segment; none where all of its documents may.
    pub filters: Vec<Option<Arc<Filter>>>,
    /// How many documents that is.
    pub documents: u64,
}

impl Allowed {
    /// What the version shows.
    pub fn all(segments: &[SegmentView]) -> Self {
        let filters = segments.iter().map(|view| view.live.clone()).collect();
        Self { filters, documents: segments.iter().map(|view| view.documents() as u64).sum() }
    }

    fn new(segments: &[SegmentView], parsed: &Parsed, cancel: &Cancel) -> Result<Self> {
        let mut all = Vec::with_capacity(segments.len());
        for view in segments {
            let lists = parsed.ids.iter().map(|ids| listed(view, ids)).collect::<Result<Vec<_>>>()?;
            let stop = || cancel.is_set();
            let mut bits = cutover_text::compile_filter(&view.segment.text, &parsed.filter, &lists, &stop)?;
            if let Some(live) = &view.live {
                bits.intersect_with(live.allowed());
            }
            all.push(bits);
        }
        Ok(Self::these(all))
    }

    /// These ordinals of each segment.
    pub fn these(bits: Vec<FixedBitSet>) -> Self {
        let documents = bits.iter().map(|bits| bits.count_ones(..) as u64).sum();
        Self { filters: bits.into_iter().map(|bits| Some(Arc::new(bits.into()))).collect(), documents }
    }

    /// Those of these ordinals that `allowed` has too.
    pub fn within(these: &[FixedBitSet], allowed: &Self) -> Self {
        let mut both = these.to_vec();
        for (bits, allowed) in both.iter_mut().zip(&allowed.filters) {
            if let Some(allowed) = allowed {
                bits.intersect_with(allowed.allowed());
            }
        }
        Self::these(both)
    }

    /// The ordinals of one segment; none when all are allowed.
    pub fn of(&self, segment: usize) -> Option<&FixedBitSet> {
        self.filter(segment).map(Filter::allowed)
    }

    /// The same, for a search of vectors.
    pub fn filter(&self, segment: usize) -> Option<&Filter> {
        self.filters[segment].as_deref()
    }

    fn bytes(&self) -> usize {
        self.filters.iter().flatten().map(|filter| filter.bytes()).sum()
    }
}

fn listed(view: &SegmentView, ids: &[String]) -> Result<FixedBitSet> {
    let mut bits = FixedBitSet::with_capacity(view.segment.documents.len() as usize);
    for id in ids {
        if let Some(ordinal) = view.ordinal(id)? {
            bits.insert(ordinal as usize);
        }
    }
    Ok(bits)
}

impl Snapshot {
    /// What `filter` and the version allow.
    ///
    /// # Errors
    /// [`crate::Error::Type`] and [`crate::Error::Range`] for a filter that does not fit the schema; [`crate::Error::Cancelled`].
    pub(crate) fn allowed(&self, filter: Option<&Value>, cancel: &Cancel) -> Result<Arc<Allowed>> {
        let Some(filter) = filter else { return Ok(Arc::clone(&self.all)) };
        let key = filter.to_string();
        if let Some(kept) = self.filters.get(&key) {
            return Ok(kept);
        }
        // Compiled outside the lock: two that ask at once do the work twice, and neither waits.
        let allowed = Arc::new(Allowed::new(&self.segments, &filter::parse(&self.schema, filter)?, cancel)?);
        self.filters.put(key, &allowed);
        Ok(allowed)
    }
}

/// The filters used last, with what they allow.
#[derive(Default)]
pub(crate) struct FilterCache {
    /// The one used last at the end.
    kept: Mutex<Vec<(String, Arc<Allowed>)>>,
}

impl FilterCache {
    fn get(&self, key: &str) -> Option<Arc<Allowed>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, _)| known == key)?;
        let entry = kept.remove(at);
        let allowed = Arc::clone(&entry.1);
        kept.push(entry);
        // They grow while they are used.
        Self::trim(&mut kept);
        Some(allowed)
    }

    fn put(&self, key: String, allowed: &Arc<Allowed>) {
        if key.len() > LONGEST_KEPT || allowed.bytes() > MOST_BYTES {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != key);
        kept.push((key, Arc::clone(allowed)));
        Self::trim(&mut kept);
    }

    /// Forgets those that were not used for longest, until the others are within the bounds.
    fn trim(kept: &mut Vec<(String, Arc<Allowed>)>) {
        let cost = |(key, allowed): &(String, Arc<Allowed>)| key.len() + allowed.bytes();
        while kept.len() > MOST_KEPT || kept.iter().map(cost).sum::<usize>() > MOST_BYTES {
            kept.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowed, FilterCache, LONGEST_KEPT, MOST_BYTES, MOST_KEPT};
    use fixedbitset::FixedBitSet;
    use std::sync::Arc;

    fn allowed(documents: usize) -> Arc<Allowed> {
        Arc::new(Allowed { filters: vec![Some(Arc::new(FixedBitSet::with_capacity(documents).into()))], documents: 0 })
    }

    #[test]
    fn the_filters_used_last_are_kept_within_the_bounds() {
        let cache = FilterCache::default();
        for n in 0..MOST_KEPT {
            cache.put(n.to_string(), &allowed(n));
        }
        assert!(cache.get("0").is_some(), "and is now the one used last");
        cache.put("more".into(), &allowed(1));
        assert!(cache.get("0").is_some() && cache.get("more").is_some() && cache.get("1").is_none());
        cache.put("large".into(), &allowed(MOST_BYTES * 8 - 64));
        assert!(cache.get("large").is_some() && cache.get("0").is_none(), "what is large drives out what is small");
        cache.put("larger".into(), &allowed(MOST_BYTES * 8 + 64));
        cache.put("x".repeat(LONGEST_KEPT + 1), &allowed(1));
        assert!(cache.get("larger").is_none() && cache.get("large").is_some());
    }
}
