//! Filters allow exactly what a scan over the documents allows, and facets count what a scan counts.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::LazyLock;

use cutover_text::{Error, FieldKind, Filter, Glob, SegmentRef, TextSchema, Value, compile_filter, facet_counts};
use fixedbitset::FixedBitSet;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use support::{Built, Choices, all, build, field, never, text};

/// Two fields of each kind: one value at most, or several.
fn schema() -> TextSchema {
    let kinds = [false, true].into_iter().flat_map(|many| {
        let facet = true;
        [
            ("keyword", FieldKind::Keyword { many, facet }),
            ("number", FieldKind::Number { many, facet }),
            ("integer", FieldKind::Integer { many, facet }),
            ("date", FieldKind::Date { many, facet }),
            ("boolean", FieldKind::Boolean { many, facet }),
        ]
        .map(|(name, kind)| field(&format!("{name}{}", if many { "s" } else { "" }), kind))
    });
    TextSchema { fields: kinds.chain([text("body", 1.0)]).collect() }
}

const KEYWORDS: [&str; 12] =
    ["", "a", "A", "ab", "a b", "é", "\0", "zz", "src/a.ts", "src/b/a.ts", "src/b/a.test.ts", "éé"];
const PATTERNS: [&str; 10] = ["*", "**", "a*", "src/**", "**/*.ts", "!**/*.test.ts", "?", "é{,é}", "[!a-z]", "!a"];
const NUMBERS: [f64; 10] = [-1e300, -2.5, -1.0, -0.0, 0.0, 1e-300, 1.0, 2.5, 9_007_199_254_740_992.0, 1e300];
const INTEGERS: [i64; 8] = [-9_007_199_254_740_992, -3, -1, 0, 1, 2, 1_700_000_000_000, 9_007_199_254_740_992];

type Document = Vec<(usize, Value<'static>)>;

fn value(kind: FieldKind, choices: &mut Choices) -> Value<'static> {
    match kind {
        FieldKind::Keyword { .. } => Value::Keyword(KEYWORDS[choices.below(KEYWORDS.len())]),
        FieldKind::Number { .. } => Value::Number(NUMBERS[choices.below(NUMBERS.len())]),
        FieldKind::Integer { .. } => Value::Integer(INTEGERS[choices.below(INTEGERS.len())]),
        FieldKind::Date { .. } => Value::Date(INTEGERS[choices.below(INTEGERS.len())]),
        FieldKind::Boolean { .. } => Value::Boolean(choices.once_in(2)),
        FieldKind::Text { .. } => Value::Text("some words"),
    }
}

fn documents(count: usize, choices: &mut Choices) -> Vec<Document> {
    let fields = schema().fields;
    let one = |_| {
        let mut document = Document::new();
        for (number, spec) in fields.iter().enumerate() {
            let most = if spec.name.ends_with('s') { 4 } else { 2 };
            (0..choices.below(most)).for_each(|_| document.push((number, value(spec.kind, choices))));
        }
        document
    };
    (0..count).map(one).collect()
}

fn number(name: &str) -> usize {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| schema().fields.into_iter().map(|spec| spec.name).collect());
    NAMES.iter().position(|known| known == name).unwrap()
}

/// Whether a document passes, by looking at its values.
fn passes(document: &Document, ordinal: usize, filter: &Filter) -> bool {
    let any = |name: &str, test: &dyn Fn(&Value<'_>) -> bool| {
        document.iter().any(|(field, value)| *field == number(name) && test(value))
    };
    let as_number = |value: &Value<'_>| match value {
        Value::Number(number) => *number,
        Value::Integer(integer) | Value::Date(integer) => *integer as f64,
        _ => f64::NAN,
    };
    match filter {
        Filter::And(all) => all.iter().all(|inner| passes(document, ordinal, inner)),
        Filter::Or(any) => any.iter().any(|inner| passes(document, ordinal, inner)),
        Filter::Not(inner) => !passes(document, ordinal, inner),
        Filter::Keyword { field, any_of } => {
            any(field, &|value| matches!(value, Value::Keyword(keyword) if any_of.iter().any(|other| other == keyword)))
        }
        Filter::Prefix { field, prefix } => {
            any(field, &|value| matches!(value, Value::Keyword(keyword) if keyword.starts_with(prefix.as_str())))
        }
        Filter::Glob { field, glob } => {
            any(field, &|value| matches!(value, Value::Keyword(keyword) if glob.matches(keyword)))
        }
        Filter::Exists { field, exists } => any(field, &|_| true) == *exists,
        Filter::Range { field, low, high } => any(field, &|value| {
            let number = as_number(value);
            let above = match low {
                Bound::Unbounded => true,
                Bound::Included(bound) => number >= *bound,
                Bound::Excluded(bound) => number > *bound,
            };
            above
                && match high {
                    Bound::Unbounded => true,
                    Bound::Included(bound) => number <= *bound,
                    Bound::Excluded(bound) => number < *bound,
                }
        }),
        Filter::Number { field, any_of } => any(field, &|value| any_of.contains(&as_number(value))),
        Filter::Boolean { field, value: wanted } => any(field, &|value| *value == Value::Boolean(*wanted)),
        Filter::Listed(number) => listed(*number).contains(ordinal),
    }
}

/// Every third ordinal, every fourth and so on, to beyond the end of every segment.
fn listed(number: usize) -> FixedBitSet {
    (number..700).step_by(number + 3).collect()
}

fn name(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(of).prop_map(str::to_owned)
}

fn bound() -> impl Strategy<Value = Bound<f64>> {
    let number = prop_oneof![
        prop::sample::select(&NUMBERS[..]),
        prop::sample::select(&INTEGERS[..]).prop_map(|integer| integer as f64),
        prop::sample::select(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.5, -0.5, 1e19, -1e19][..]),
        any::<f64>(),
    ];
    prop_oneof![number.clone().prop_map(Bound::Included), number.prop_map(Bound::Excluded), Just(Bound::Unbounded)]
}

fn any_number() -> impl Strategy<Value = f64> {
    let integer = prop::sample::select(&INTEGERS[..]).prop_map(|integer| integer as f64);
    prop_oneof![prop::sample::select(&NUMBERS[..]), integer, prop::sample::select(&[f64::NAN, 0.5, 1e19, -3.0][..])]
}

fn filter() -> impl Strategy<Value = Filter> {
    let keyword = prop_oneof![name(&KEYWORDS), Just("missing".to_owned())];
    let numeric = || name(&["number", "numbers", "integer", "integers", "date", "dates"]);
    let every = name(&[
        "keyword", "keywords", "number", "numbers", "integer", "integers", "date", "dates", "boolean", "booleans",
    ]);
    let leaf = prop_oneof![
        (name(&["keyword", "keywords"]), prop::collection::vec(keyword, 0..12))
            .prop_map(|(field, any_of)| Filter::Keyword { field, any_of }),
        (name(&["keyword", "keywords"]), name(&["", "a", "src/", "src/b/a.t", "é", "\0", "zzz"]))
            .prop_map(|(field, prefix)| Filter::Prefix { field, prefix }),
        (name(&["keyword", "keywords"]), prop::collection::vec(name(&PATTERNS), 1..4))
            .prop_map(|(field, patterns)| Filter::Glob { field, glob: Glob::new(&patterns).unwrap() }),
        (every, any::<bool>()).prop_map(|(field, exists)| Filter::Exists { field, exists }),
        (numeric(), bound(), bound()).prop_map(|(field, low, high)| Filter::Range { field, low, high }),
        (numeric(), prop::collection::vec(any_number(), 0..9))
            .prop_map(|(field, any_of)| Filter::Number { field, any_of }),
        (name(&["boolean", "booleans"]), any::<bool>()).prop_map(|(field, value)| Filter::Boolean { field, value }),
        (0_usize..3).prop_map(Filter::Listed),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

#[test]
fn filters_allow_what_a_scan_allows() {
    let mut choices = Choices(5);
    // Columns are kept differently when all, some or none of the documents have a value: a small index has all cases.
    let corpora: Vec<Vec<Document>> = [600, 90, 7, 1, 0].iter().map(|count| documents(*count, &mut choices)).collect();
    let built: Vec<Built> = corpora.iter().map(|documents| build(&schema(), documents)).collect();
    let config = ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() };
    let compared = TestRunner::new(config).run(&filter(), |filter| {
        for (documents, built) in corpora.iter().zip(&built) {
            let bits = compile_filter(&built.index, &filter, &[0, 1, 2].map(listed), &never).unwrap();
            prop_assert_eq!(bits.len(), documents.len());
            prop_assert_eq!(bits, scan(documents, &filter));
        }
        Ok(())
    });
    compared.unwrap();
}

fn scan(documents: &[Document], filter: &Filter) -> FixedBitSet {
    let mut bits = FixedBitSet::with_capacity(documents.len());
    let passing = documents.iter().enumerate().filter(|(at, document)| passes(document, *at, filter));
    passing.for_each(|(at, _)| bits.insert(at));
    bits
}

#[test]
fn facets_count_what_a_scan_counts() {
    let mut choices = Choices(6);
    let corpora = [documents(700, &mut choices), documents(300, &mut choices)];
    let built = corpora.each_ref().map(|documents| build(&schema(), documents));
    for every in [1, 2, 50, 1001] {
        let allowed =
            corpora.each_ref().map(|documents| (0..documents.len()).step_by(every).skip(1).collect::<FixedBitSet>());
        let segments: Vec<_> =
            built.iter().zip(&allowed).map(|(b, bits)| SegmentRef { index: &b.index, allowed: Some(bits) }).collect();
        for (number, spec) in schema().fields.iter().enumerate().filter(|(_, spec)| spec.name != "body") {
            let mut counts: HashMap<String, u64> = HashMap::new();
            for (documents, allowed) in corpora.iter().zip(&allowed) {
                for at in allowed.ones() {
                    let values = documents[at].iter().filter(|(field, _)| *field == number);
                    let distinct: BTreeSet<String> = values.map(|(_, value)| written(value)).collect();
                    for value in distinct {
                        *counts.entry(value).or_default() += 1;
                    }
                }
            }
            let counted = facet_counts(&segments, &spec.name, 1000).unwrap();
            assert!(counted.is_sorted_by(|(_, a), (_, b)| a >= b));
            assert_eq!(counted.iter().cloned().collect::<HashMap<_, _>>(), counts, "{}", spec.name);
            assert_eq!(facet_counts(&segments, &spec.name, 3).unwrap(), counted[..counted.len().min(3)]);
        }
    }
}

fn written(value: &Value<'_>) -> String {
    match value {
        Value::Text(string) | Value::Keyword(string) => (*string).to_owned(),
        Value::Number(number) => (number + 0.0).to_string(),
        Value::Integer(integer) | Value::Date(integer) => integer.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
    }
}

/// Cells are as wide as the values are apart: one to eight bytes.
#[test]
fn integers_far_apart_and_keywords_in_great_number_are_told_apart() {
    let (many, facet) = (false, true);
    let kinds = [FieldKind::Integer { many, facet }, FieldKind::Keyword { many, facet }];
    let schema = TextSchema { fields: vec![field("n", kinds[0]), field("k", kinds[1])] };
    let last = |of: &[String]| of.iter().rev().step_by(3).take(5).cloned().collect::<Vec<_>>();
    for (step, count) in [(1, 200), (1, 300), (3, 70_000), (1_i64 << 33, 1000)] {
        let keywords: Vec<String> = (0..count).map(|at| format!("key {at}")).collect();
        let value = |at: usize| i64::from(at as u32) * step - 1000;
        let documents: Vec<_> = keywords
            .iter()
            .enumerate()
            .map(|(at, keyword)| vec![(0, Value::Integer(value(at))), (1, Value::Keyword(keyword))])
            .collect();
        let built = build(&schema, &documents);
        for at in [0, 1, count / 2, count - 2, count - 1] {
            let number = Filter::Number { field: "n".to_owned(), any_of: vec![value(at) as f64] };
            let keyword = Filter::Keyword { field: "k".to_owned(), any_of: vec![keywords[at].clone()] };
            let both = ["absent", &keywords[at], &keywords[0]].map(str::to_owned).to_vec();
            let several = Filter::Keyword { field: "k".to_owned(), any_of: both };
            // Six values, none beside another: more than are looked for one by one.
            let numbers = [value(at), value(count - 1), value(0), value(count / 2), value(3), value(5)];
            let numbers = Filter::Number { field: "n".to_owned(), any_of: numbers.map(|value| value as f64).to_vec() };
            let from =
                Filter::Range { field: "n".to_owned(), low: Bound::Included(value(at) as f64), high: Bound::Unbounded };
            let allowed =
                |filter: &Filter| compile_filter(&built.index, filter, &[], &never).unwrap().ones().collect::<Vec<_>>();
            assert_eq!(allowed(&number), [at]);
            assert_eq!(allowed(&keyword), [at]);
            assert_eq!(allowed(&several), if at == 0 { vec![0] } else { vec![0, at] });
            assert_eq!(allowed(&from).len(), count - at);
            assert_eq!(
                allowed(&numbers),
                BTreeSet::from([at, count - 1, 0, count / 2, 3, 5]).into_iter().collect::<Vec<_>>()
            );
            let far = Filter::Keyword { field: "k".to_owned(), any_of: last(&keywords) };
            assert_eq!(
                allowed(&far),
                (0..count).rev().step_by(3).take(5).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
            );
        }
        assert_eq!(facet_counts(&[all(&built.index)], "n", 1).unwrap(), [("-1000".to_owned(), 1)]);
        assert_eq!(facet_counts(&[all(&built.index)], "k", count + 1).unwrap().len(), count);
    }
}

#[test]
fn equally_frequent_values_are_in_their_own_order() {
    let schema = TextSchema { fields: vec![field("n", FieldKind::Number { many: true, facet: true })] };
    let values = [10.0, 9.0, -1.0, 2.5].map(|number| (0, Value::Number(number)));
    let built = build(&schema, &[values.to_vec()]);
    let counted = facet_counts(&[all(&built.index)], "n", 10).unwrap();
    assert_eq!(counted.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>(), ["-1", "2.5", "9", "10"]);
}

#[test]
fn a_filter_or_facet_that_does_not_fit_its_field_names_it() {
    let mut schema = schema();
    schema.fields.push(field("plain", FieldKind::Keyword { many: false, facet: false }));
    let built = build(&schema, &[]);
    let on = |field: &str| field.to_owned();
    let wrong = [
        Filter::Keyword { field: on("number"), any_of: vec![] },
        Filter::Boolean { field: on("keyword"), value: true },
        Filter::Prefix { field: on("number"), prefix: on("a") },
        Filter::Glob { field: on("body"), glob: Glob::new(&[on("a")]).unwrap() },
        Filter::Range { field: on("keyword"), low: Bound::Unbounded, high: Bound::Unbounded },
        Filter::Exists { field: on("body"), exists: true },
        Filter::Number { field: on("missing"), any_of: vec![] },
    ];
    for filter in wrong {
        let error = compile_filter(&built.index, &filter, &[], &never).unwrap_err();
        assert!(matches!(&error, Error::Query { field, .. } if !field.is_empty()), "{filter:?}: {error}");
    }
    for field in ["plain", "body", "missing"] {
        assert!(
            matches!(facet_counts(&[all(&built.index)], field, 1), Err(Error::Query { field: named, .. }) if named == field)
        );
    }
}

#[test]
fn filters_nested_too_deep_are_refused() {
    let built = build(&schema(), &[]);
    let deep = (0..200).fold(Filter::And(vec![]), |inner, _| Filter::Not(Box::new(inner)));
    assert!(matches!(compile_filter(&built.index, &deep, &[], &never), Err(Error::Query { .. })));
}
