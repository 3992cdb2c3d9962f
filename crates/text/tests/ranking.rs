//! The ranking agrees with BM25 as its definition has it, however documents are spread over segments and whatever is allowed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeSet, HashMap};

use cutover_text::{Fuzzy, Mode, Operator, SegmentRef, TextDepths, TextHits, TextQuery, TextSchema, Value, search};
use fixedbitset::FixedBitSet;
use support::{Built, Choices, all, body, build, never, plan, text, texts, words};
use tantivy::fieldnorm::FieldNormReader;

const BOOSTS: [f64; 2] = [2.5, 1.0];

fn schema() -> TextSchema {
    TextSchema { fields: vec![text("title", 2.5), text("body", 1.0)] }
}

/// Documents of two texts each, as lists of words.
struct Corpus(Vec<[Vec<String>; 2]>);

impl Corpus {
    fn new(documents: usize, choices: &mut Choices) -> Self {
        let mut text = |most: usize| {
            let length = choices.below(most);
            (0..length).map(|_| format!("w{}", choices.skewed(500))).collect::<Vec<_>>()
        };
        Self((0..documents).map(|at| [text(6), text(if at % 3 == 0 { 200 } else { 30 })]).collect())
    }

    fn segments(&self, cuts: &[usize]) -> Vec<Built> {
        let joined: Vec<[String; 2]> = self.0.iter().map(|texts| texts.clone().map(|words| words.join(" "))).collect();
        let mut from = 0;
        let mut segment = |to: usize| {
            let documents: Vec<Vec<(usize, Value<'_>)>> = joined[from..to]
                .iter()
                .map(|texts| texts.iter().enumerate().map(|(field, text)| (field, Value::Text(text))).collect())
                .collect();
            from = to;
            build(&schema(), &documents)
        };
        cuts.iter().map(|cut| segment(*cut)).collect()
    }

    /// Scores of all matching documents by the book (BM25F): occurrences and lengths of all fields, each times its boost, are added before
    /// they saturate; a word is as rare as it is in the field where it is commonest.
    fn bm25(&self, query: &str, fields: &[(usize, f64)], operator: Operator) -> HashMap<usize, f64> {
        let words: BTreeSet<&str> = query.split(' ').collect();
        let documents = self.0.len() as f64;
        let mut scores: HashMap<usize, f64> = HashMap::new();
        let total = |field: usize| self.0.iter().map(|texts| texts[field].len() as f64).sum::<f64>();
        let average = fields.iter().map(|(field, boost)| boost * total(*field)).sum::<f64>() / documents;
        for word in &words {
            let count =
                |texts: &[Vec<String>; 2], field: usize| texts[field].iter().filter(|other| other == word).count();
            let having = |field: usize| self.0.iter().filter(|texts| count(texts, field) > 0).count();
            let commonest = fields.iter().map(|(field, _)| having(*field)).max().unwrap() as f64;
            let idf = (1.0 + (documents - commonest + 0.5) / (commonest + 0.5)).ln();
            for (at, texts) in self.0.iter().enumerate() {
                if fields.iter().all(|(field, _)| count(texts, *field) == 0) {
                    continue;
                }
                let occurrences: f64 = fields.iter().map(|(field, boost)| boost * count(texts, *field) as f64).sum();
                // Lengths are kept in a byte each.
                let kept = |field: usize| {
                    f64::from(FieldNormReader::id_to_fieldnorm(FieldNormReader::fieldnorm_to_id(
                        texts[field].len() as u32
                    )))
                };
                let length: f64 = fields.iter().map(|(field, boost)| boost * kept(*field)).sum();
                let norm = if average > 0.0 { 1.2 * (0.25 + 0.75 * length / average) } else { 1.2 };
                *scores.entry(at).or_default() += idf * 2.2 * occurrences / (occurrences + norm);
            }
        }
        if operator == Operator::And {
            let has = |at: usize, word: &str| {
                fields.iter().any(|(field, _)| self.0[at][*field].iter().any(|other| other == word))
            };
            scores.retain(|at, _| words.iter().all(|word| has(*at, word)));
        }
        scores
    }

    fn query(choices: &mut Choices) -> String {
        let words: Vec<String> = (0..=choices.below(5)).map(|_| format!("w{}", choices.skewed(520))).collect();
        words.join(" ")
    }
}

/// The hits, with documents numbered through all segments.
fn numbered(found: &TextHits, segments: &[Built]) -> Vec<(usize, f32)> {
    let before = |segment: usize| segments[..segment].iter().map(|built| built.index.len() as usize).sum::<usize>();
    found.hits.iter().map(|hit| (before(hit.segment) + hit.ordinal as usize, hit.score)).collect()
}

fn agrees(hits: &[(usize, f32)], expected: &HashMap<usize, f64>, limit: usize, context: &str) {
    let mut ranked: Vec<(usize, f64)> = expected.iter().map(|(at, score)| (*at, *score)).collect();
    ranked.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
    assert_eq!(hits.len(), limit.min(ranked.len()), "{context}");
    for ((at, score), (ranked_at, ranked_score)) in hits.iter().zip(&ranked) {
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-5 * a.abs().max(1.0);
        assert!(near(f64::from(*score), *ranked_score), "{context}: {score} where {ranked_score} was due");
        // Another document may only take the place where the two scores are the same.
        assert!(at == ranked_at || near(expected[at], *ranked_score), "{context}: {at} where {ranked_at} was due");
    }
    assert!(
        hits.is_sorted_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)).is_lt()),
        "{context}: ties are not broken by place"
    );
}

#[test]
fn ranking_and_total_agree_with_bm25_in_one_segment_and_in_three() {
    let mut choices = Choices(1);
    let corpus = Corpus::new(3000, &mut choices);
    let (one, three) = (corpus.segments(&[3000]), corpus.segments(&[400, 1900, 3000]));
    let both = [(0, BOOSTS[0]), (1, BOOSTS[1])];
    for _ in 0..300 {
        let query = Corpus::query(&mut choices);
        let operator = if choices.once_in(3) { Operator::And } else { Operator::Or };
        let expected = corpus.bm25(&query, &both, operator);
        let query = words(&query, operator);
        let mut rankings = Vec::new();
        for segments in [&one, &three] {
            let refs: Vec<_> = segments.iter().map(|built| all(&built.index)).collect();
            let found = search(&refs, &query, 20, &never).unwrap();
            assert_eq!(found.total, expected.len() as u64, "{query:?}");
            let counted = search(&refs, &query, 0, &never).unwrap();
            assert_eq!((counted.total, counted.hits.len()), (found.total, 0));
            let hits = numbered(&found, segments);
            agrees(&hits, &expected, 20, &format!("{query:?}"));
            rankings.push(hits);
        }
        assert_eq!(rankings[0], rankings[1], "segments show in the ranking of {query:?}");
    }
}

#[test]
fn a_query_may_name_fields_and_their_boosts() {
    let mut choices = Choices(2);
    let corpus = Corpus::new(500, &mut choices);
    let segments = corpus.segments(&[500]);
    for boost in [0.0_f32, 0.5, 7.0] {
        let query = Corpus::query(&mut choices);
        let expected = corpus.bm25(&query, &[(1, f64::from(boost))], Operator::Or);
        let query = TextQuery {
            query,
            fields: Some(vec![("body".to_owned(), boost)]),
            operator: Operator::Or,
            ..TextQuery::default()
        };
        let found = search(&[all(&segments[0].index)], &query, 10, &never).unwrap();
        assert_eq!(found.total, expected.len() as u64);
        agrees(&numbered(&found, &segments), &expected, 10, &format!("{query:?}"));
    }
}

#[test]
fn whatever_is_allowed_limit_hits_come_back_when_they_exist() {
    let mut choices = Choices(3);
    let corpus = Corpus::new(3000, &mut choices);
    let segments = corpus.segments(&[1000, 3000]);
    let both = [(0, BOOSTS[0]), (1, BOOSTS[1])];
    for once_in in [1, 2, 20, 300, 3000] {
        for _ in 0..20 {
            let allowed: Vec<FixedBitSet> = segments
                .iter()
                .map(|built| (0..built.index.len() as usize).filter(|_| choices.once_in(once_in)).collect())
                .collect();
            let query = Corpus::query(&mut choices);
            let mut expected = corpus.bm25(&query, &both, Operator::Or);
            expected
                .retain(|at, _| if *at < 1000 { allowed[0].contains(*at) } else { allowed[1].contains(*at - 1000) });
            let refs: Vec<_> = segments
                .iter()
                .zip(&allowed)
                .map(|(b, bits)| SegmentRef { index: &b.index, allowed: Some(bits) })
                .collect();
            let found = search(&refs, &words(&query, Operator::Or), 15, &never).unwrap();
            assert_eq!(found.total, expected.len() as u64, "{query}");
            agrees(&numbered(&found, &segments), &expected, 15, &query);
            let marked = plan(&refs, &words(&query, Operator::Or)).matches(&refs, &never).unwrap();
            assert_eq!(marked.iter().map(|bits| bits.count_ones(..) as u64).sum::<u64>(), found.total);
        }
    }
}

#[test]
fn given_documents_get_the_scores_that_search_gives_them() {
    let mut choices = Choices(4);
    let corpus = Corpus::new(1000, &mut choices);
    let segments = corpus.segments(&[100, 1000]);
    let refs: Vec<_> = segments.iter().map(|built| all(&built.index)).collect();
    for operator in [Operator::Or, Operator::And] {
        for _ in 0..30 {
            let query = words(&Corpus::query(&mut choices), operator);
            let found = search(&refs, &query, 1000, &never).unwrap();
            let known: HashMap<(usize, u32), f32> =
                found.hits.iter().map(|hit| ((hit.segment, hit.ordinal), hit.score)).collect();
            let asked: Vec<(usize, u32)> = (0..300).map(|at| (at % 2, choices.below(100) as u32)).collect();
            let given = plan(&refs, &query).scores(&refs, &asked).unwrap();
            let expected: Vec<Option<f32>> = asked.iter().map(|place| known.get(place).copied()).collect();
            assert_eq!(given, expected, "{query:?}");
        }
    }
}

#[test]
fn equal_documents_are_ranked_by_segment_then_ordinal() {
    let texts_of = |count: usize| vec!["one two three two"; count];
    let (a, b) = (texts(&body(), &texts_of(300)), texts(&body(), &texts_of(200)));
    let found = search(&[all(&a.index), all(&b.index)], &words("two three", Operator::Or), 350, &never).unwrap();
    let places: Vec<_> = found.hits.iter().map(|hit| (hit.segment, hit.ordinal)).collect();
    let expected: Vec<_> = (0..300).map(|ordinal| (0, ordinal)).chain((0..50).map(|ordinal| (1, ordinal))).collect();
    assert_eq!(places, expected);
    assert_eq!(found.total, 500);
}

#[test]
fn tantivys_document_number_is_the_ordinal() {
    let documents: Vec<String> = (0..5000).map(|at| format!("common unique{at}")).collect();
    let built = texts(&body(), &documents.iter().map(String::as_str).collect::<Vec<_>>());
    for at in (0..5000).step_by(37) {
        let found = search(&[all(&built.index)], &words(&format!("unique{at}"), Operator::Or), 5, &never).unwrap();
        assert_eq!(found.hits.iter().map(|hit| hit.ordinal).collect::<Vec<_>>(), [at]);
    }
}

/// Words that are so common that they are added up only where they must be, and rules that are no mere words.
#[test]
fn deeper_looks_find_what_one_look_finds() {
    let mut choices = Choices(7);
    let corpus = Corpus::new(9000, &mut choices);
    let segments = corpus.segments(&[5000, 5200, 9000]);
    let lengths = segments.iter().map(|built| built.index.len());
    let places: Vec<(usize, u32)> =
        lengths.enumerate().flat_map(|(segment, length)| (0..length).step_by(7).map(move |at| (segment, at))).collect();
    for once_in in [None, Some(2), Some(400)] {
        let allowed = segments.iter().map(|built| {
            once_in.map(|every| (0..built.index.len() as usize).filter(|_| choices.once_in(every)).collect())
        });
        let allowed: Vec<Option<FixedBitSet>> = allowed.collect();
        let refs: Vec<_> = segments
            .iter()
            .zip(&allowed)
            .map(|(built, bits)| SegmentRef { index: &built.index, allowed: bits.as_ref() })
            .collect();
        let known = |(segment, at): &(usize, u32)| {
            allowed[*segment].as_ref().is_none_or(|allowed| allowed.contains(*at as usize))
        };
        let places: Vec<_> = places.iter().copied().filter(known).collect();
        for text in ["w0", "w400 w300 w0 w1 w2", "w150 w0", "w90 w80 w70 w0 w1", "w499 nothing", "w0 w1 w2 w3"] {
            let or = words(text, Operator::Or);
            let near = TextQuery { fuzzy: Fuzzy::One, prefix_length: 1, ..or.clone() };
            let rule = TextQuery { query: format!("({text}) AND NOT w5"), mode: Mode::Syntax, ..or.clone() };
            for query in [or, words(text, Operator::And), near, rule] {
                let plan = plan(&refs, &query);
                let mut depths = TextDepths::new(&plan, refs.clone());
                for limit in [0, 1, 10, 48, 30, 96, 400, 10_000] {
                    let context = format!("{limit} of {query:?}, one in {once_in:?}");
                    let found = plan.search(&refs, limit, &never).unwrap();
                    assert_eq!(depths.best(limit, &never).unwrap(), found.hits, "{context}");
                    assert_eq!(depths.scores(&places).unwrap(), plan.scores(&refs, &places).unwrap(), "{context}");
                }
            }
        }
    }
}
