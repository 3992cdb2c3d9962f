#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cutover_durable::{Map, fs};
use fixedbitset::FixedBitSet;
use tempfile::TempDir;

use super::rank::{Way, add_up, visit};
use super::{Asked, Fuzzy, Mode, Operator, Plan, TextQuery, Top, matched};
use crate::guard::reading;
use crate::{Analyzer, Case, FieldKind, FieldSpec, SegmentRef, TextBuilder, TextHit, TextIndex, TextSchema, Value};

fn schema() -> TextSchema {
    let text = |name: &str, boost| FieldSpec {
        name: name.to_owned(),
        kind: FieldKind::Text { analyzer: Analyzer::Standard, boost, case: Case::Insensitive },
    };
    TextSchema { fields: vec![text("title", 0.1), text("body", 1.0)] }
}

/// A segment whose bodies have up to `longest` words; the directory keeps its file.
fn segment(documents: u32, longest: u64, seed: u64) -> (TempDir, TextIndex) {
    let mut state = seed;
    let mut below = |end: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) ^ (state >> 17)) % end
    };
    let mut builder = TextBuilder::new(&schema()).unwrap();
    for ordinal in 0..documents {
        let mut words = |most: u64| {
            let length = 1 + below(most);
            let mut word = || {
                let bound = 1 + below(60);
                format!("w{}", below(bound))
            };
            (0..length).map(|_| word()).collect::<Vec<_>>().join(" ")
        };
        let (title, body) = (words(4), words(longest));
        builder.add(ordinal, &[(0, Value::Text(&title)), (1, Value::Text(&body))]).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    builder.finish(fs::create(&path).unwrap()).unwrap();
    (directory, TextIndex::open(Map::open(&path).unwrap(), &schema()).unwrap())
}

/// Queries of every kind, so that units are read in every way there is.
fn queries() -> Vec<TextQuery> {
    let words = |query: &str| TextQuery { query: query.to_owned(), ..TextQuery::default() };
    let mut queries = Vec::new();
    for query in ["w1", "w0 w3", "w59 w2 w7", "w1 w1 w40 w41 w42", "w58", "w5 w6 w8 w9 w10 w11 w12 w13 w14"] {
        for operator in [Operator::Or, Operator::And] {
            queries.push(TextQuery { operator, ..words(query) });
            queries.push(TextQuery { operator, fuzzy: Fuzzy::One, prefix_length: 1, ..words(query) });
        }
        queries.push(TextQuery { mode: Mode::Prefix, ..words(query) });
        queries.push(TextQuery { mode: Mode::Phrase, slop: 3, ..words(query) });
    }
    queries.push(TextQuery { mode: Mode::Regex, ..words("w[1-3].") });
    queries.push(TextQuery { mode: Mode::Syntax, ..words("(w1 OR title:w2^3) AND NOT \"w3 w1\" w4*") });
    queries
}

/// Segments of very different lengths.
#[test]
fn every_way_of_ranking_gives_the_same_hits_with_the_same_scores() {
    let (short, long) = (segment(6000, 5, 1), segment(4000, 120, 2));
    let segments = [&short.1, &long.1].map(|index| SegmentRef { index, allowed: None });
    let mut compared = 0;
    for query in queries() {
        for every in [1, 3, 200] {
            let plan = Plan::new(&segments, &query, &|| false).unwrap();
            let hits = [Way::AddUp, Way::Visit].map(|way| ranked(&plan, &segments, every, way));
            assert_eq!(hits[0], hits[1], "{query:?}");
            compared += hits[0].len();
        }
    }
    assert!(compared > 200, "only {compared} hits were compared");
}

/// Rare words beside common ones, with all documents and with some of them allowed.
#[test]
fn common_words_that_can_change_nothing_are_counted_and_not_added_up() {
    let (short, long) = (segment(6000, 5, 1), segment(4000, 120, 2));
    let segments = [&long.1, &short.1].map(|index| SegmentRef { index, allowed: None });
    let mut turned = 0;
    for query in ["w59 w0", "w58 w57 w0 w1 w2", "w0 w1 w59 w59", "w59 w3 title:w0", "w1 w2"] {
        let query = TextQuery { query: query.to_owned(), ..TextQuery::default() };
        let plan = Plan::new(&segments, &query, &|| false).unwrap();
        for (every, limit) in [(1, 10), (3, 10), (1, 300), (7, 1)] {
            let [mut added, mut visited] = [(); 2].map(|()| Top::new(limit));
            for (segment, SegmentRef { index, .. }) in segments.iter().enumerate() {
                let work = plan.spent.go_on();
                let planned = work.done();
                let asked = Asked { plan: &plan, work: &work, segment, index, cancel: &|| false };
                let allowed: FixedBitSet = (0..index.len() as usize).step_by(every).collect();
                let postings: usize = plan.units.iter().map(|unit| unit.postings(segment)).sum();
                let count = reading(index.path(), "rank", || add_up(&asked, None, Some(&allowed), &mut added)).unwrap();
                // What is visited is counted besides.
                turned += usize::from(work.done() - planned > postings as u64);
                let matching = reading(index.path(), "rank", || {
                    let mut candidates = matched(&asked, &plan.rule)?;
                    candidates.intersect_with(&allowed);
                    visit(&asked, &candidates, |document, score| visited.push(segment, document, score))?;
                    Ok(candidates.count_ones(..))
                });
                assert_eq!(count, matching.unwrap(), "{query:?}");
            }
            let expected = visited.into_hits();
            assert_eq!(added.into_hits(), expected, "{query:?} {every} {limit}");
        }
    }
    assert!((8..40).contains(&turned), "{turned} of 40 turned to visiting");
}

fn ranked(plan: &Plan, segments: &[SegmentRef<'_>], every: usize, way: Way) -> Vec<TextHit> {
    let mut top = Top::new(17);
    for (segment, SegmentRef { index, .. }) in segments.iter().enumerate() {
        let work = plan.spent.go_on();
        let asked = Asked { plan, work: &work, segment, index, cancel: &|| false };
        reading(index.path(), "rank", || {
            let mut candidates = matched(&asked, &plan.rule)?;
            let allowed: FixedBitSet = (0..index.len() as usize).step_by(every).collect();
            candidates.intersect_with(&allowed);
            match way {
                Way::AddUp => add_up(&asked, Some(&candidates), None, &mut top).map(drop),
                Way::Visit => visit(&asked, &candidates, |document, score| top.push(segment, document, score)),
            }
        })
        .unwrap();
    }
    top.into_hits()
}
