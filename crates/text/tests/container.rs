//! The container: small for few documents, the same for the same documents, and harmless however it is damaged.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::ops::Bound;
use std::path::Path;

use cutover_durable::Map;
use cutover_text::{
    Analyzer, Case, Error, FieldKind, Filter, Glob, Operator, Order, SortKey, TextBuilder, TextIndex, TextPlan,
    TextSchema, Value, compile_filter, facet_counts, keywords_of, range_counts, search, sorted,
};
use support::{Built, Choices, all, body, build, field, never, text, texts, words};

fn schema() -> TextSchema {
    let (many, facet) = (true, true);
    TextSchema {
        fields: vec![
            text("title", 2.0),
            text("body", 1.0),
            field("tags", FieldKind::Keyword { many, facet }),
            field("price", FieldKind::Number { many: false, facet }),
            field("stock", FieldKind::Integer { many, facet }),
            field("sold", FieldKind::Boolean { many: false, facet }),
        ],
    }
}

fn corpus(count: usize) -> Built {
    let mut choices = Choices(8);
    let owned: Vec<(String, String, String)> =
        (0..count).map(|at| (choices.words(3, 300), choices.words(12, 300), format!("tag{}", at % 40))).collect();
    let documents: Vec<Vec<(usize, Value<'_>)>> = owned
        .iter()
        .enumerate()
        .map(|(at, (title, body, tag))| {
            let mut document = vec![(0, Value::Text(title)), (1, Value::Text(body)), (2, Value::Keyword(tag))];
            if at % 3 > 0 {
                document.extend([
                    (2, Value::Keyword("even")),
                    (3, Value::Number(at as f64 / 7.0)),
                    (5, Value::Boolean(at % 2 == 0)),
                ]);
                document.extend((0..at % 4).map(|more| (4, Value::Integer(i64::from((at * more) as u32)))));
            }
            document
        })
        .collect();
    build(&schema(), &documents)
}

#[test]
fn a_hundred_small_documents_make_a_small_file() {
    let texts_of: Vec<String> =
        (0..100).map(|at| format!("note {at}: remember the milk, the bread and number {}", at * 7)).collect();
    let built = texts(&body(), &texts_of.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(built.written.bytes < 12 * 1024, "{} bytes", built.written.bytes);
    let built = corpus(100);
    assert!(built.written.bytes < 24 * 1024, "{} bytes", built.written.bytes);
}

#[test]
fn the_same_documents_make_the_same_bytes() {
    assert_eq!(corpus(500).written, corpus(500).written);
}

/// Everything that can be asked, in an order that does not depend on the answers.
fn ask_everything(index: &TextIndex) -> Result<u64, Error> {
    let segments = [all(index)];
    let mut sum = 0;
    for query in ["w0 w1 w2", "w5", "w250 w251 missing"] {
        for operator in [Operator::Or, Operator::And] {
            for limit in [1, 10, 1000] {
                sum += search(&segments, &words(query, operator), limit, &never)?.total;
            }
            sum += TextPlan::new(&segments, &words(query, operator), &never)?.matches(&segments, &never)?[0]
                .count_ones(..) as u64;
        }
        let some: Vec<(usize, u32)> = (0..index.len().min(50)).map(|ordinal| (0, ordinal)).collect();
        sum += TextPlan::new(&segments, &words(query, Operator::Or), &never)?
            .scores(&segments, &some)?
            .iter()
            .flatten()
            .count() as u64;
    }
    let named = |name: &str| name.to_owned();
    let mut filters = vec![
        Filter::Keyword { field: named("tags"), any_of: vec![named("tag7"), named("even")] },
        Filter::Prefix { field: named("tags"), prefix: named("tag1") },
        Filter::Glob { field: named("tags"), glob: Glob::new(&[named("t*1*"), named("!*9")]).unwrap() },
        Filter::Number { field: named("stock"), any_of: (0..40).map(|at| f64::from(at * 7)).collect() },
        Filter::Range { field: named("price"), low: Bound::Included(3.0), high: Bound::Excluded(20.0) },
        Filter::Range { field: named("stock"), low: Bound::Excluded(10.0), high: Bound::Unbounded },
        Filter::Boolean { field: named("sold"), value: true },
    ];
    filters.extend(["tags", "price", "stock", "sold"].map(|name| Filter::Exists { field: named(name), exists: true }));
    for filter in &filters {
        sum += compile_filter(index, filter, &[], &never)?.count_ones(..) as u64;
    }
    for name in ["tags", "price", "stock", "sold"] {
        sum += facet_counts(&segments, name, 100)?.iter().map(|(_, count)| count).sum::<u64>();
        for order in [Order::Ascending, Order::Descending] {
            sum += sorted(&segments, &[SortKey { field: named(name), order }], 20, &never)?.len() as u64;
        }
    }
    sum += range_counts(&segments, "stock", &[(0.0, 9.0), (9.0, 1e9)])?.iter().sum::<u64>();
    for ordinal in 0..index.len().min(50) {
        sum += keywords_of(index, "tags", ordinal)?.len() as u64;
    }
    Ok(sum)
}

fn open_and_ask(path: &Path) -> Result<u64, Error> {
    ask_everything(&TextIndex::open(Map::open(path)?, &schema())?)
}

/// Damages the file in many ways; every way ends in an answer or a typed error. A panic would fail the test, an abort end it.
#[test]
fn a_damaged_container_gives_an_answer_or_a_typed_error() {
    let built = corpus(400);
    let sound = std::fs::read(&built.path).unwrap();
    let expected = open_and_ask(&built.path).unwrap();
    let path = built.directory.path().join("damaged");
    let mut choices = Choices(9);
    let mut refused = 0;
    for round in 0..2500 {
        let mut bytes = sound.clone();
        if round % 20 == 0 {
            bytes.truncate(choices.below(bytes.len()));
        }
        for _ in 0..=choices.below(4) {
            let at = choices.below(bytes.len().max(1));
            match bytes.get_mut(at) {
                Some(byte) if choices.once_in(3) => *byte = [0, 1, 0x7f, 0x80, 0xff][choices.below(5)],
                Some(byte) => *byte ^= 1 << choices.below(8),
                None => {}
            }
            if choices.once_in(4) {
                let end = (at + 8).min(bytes.len());
                bytes[at..end].fill(0xff);
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        match open_and_ask(&path) {
            Ok(_) => {}
            Err(Error::Corrupt { path: named, .. }) => {
                assert_eq!(named, path);
                refused += 1;
            }
            Err(error) => {
                assert!(matches!(error, Error::File(_) | Error::OtherSchema { .. }), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 400, "only {refused} were noticed");
    assert_eq!(open_and_ask(&built.path).unwrap(), expected);
}

#[test]
fn a_container_built_for_other_fields_is_refused() {
    let built = corpus(3);
    let change = |change: &dyn Fn(&mut TextSchema)| {
        let mut schema = schema();
        change(&mut schema);
        TextIndex::open(Map::open(&built.path).unwrap(), &schema)
    };
    assert!(matches!(change(&|schema| schema.fields.swap(0, 1)), Err(Error::OtherSchema { .. })));
    assert!(matches!(change(&|schema| drop(schema.fields.pop())), Err(Error::OtherSchema { .. })));
    let simple = FieldKind::Text { analyzer: Analyzer::Simple, boost: 1.0, case: Case::Insensitive };
    assert!(matches!(change(&|schema| schema.fields[1].kind = simple), Err(Error::OtherSchema { .. })));
    let boosted = FieldKind::Text { analyzer: Analyzer::Standard, boost: 9.0, case: Case::Insensitive };
    assert!(change(&|schema| schema.fields[1].kind = boosted).is_ok(), "a boost is no part of the bytes");
}

#[test]
fn segments_of_different_schemas_are_not_searched_together() {
    let (a, b) = (corpus(3), texts(&body(), &["w1"]));
    let error = search(&[all(&a.index), all(&b.index)], &words("w1", Operator::Or), 1, &never);
    assert!(matches!(error, Err(Error::OtherSchema { .. })));
}

#[test]
fn a_value_that_a_field_cannot_hold_is_refused_and_leaves_no_trace() {
    let long = "k".repeat(70_000);
    let mut builder = TextBuilder::new(&schema()).unwrap();
    let wrong: Vec<Vec<(usize, Value<'_>)>> = vec![
        vec![(3, Value::Number(f64::NAN))],
        vec![(4, Value::Integer((1 << 53) + 1))],
        vec![(4, Value::Integer(i64::MIN))],
        vec![(3, Value::Number(1.0)), (3, Value::Number(2.0))],
        vec![(0, Value::Keyword("a keyword"))],
        vec![(2, Value::Keyword(&long))],
        vec![(6, Value::Text("no such field"))],
    ];
    for values in &wrong {
        assert!(matches!(builder.add(0, values), Err(Error::Value { .. })), "{values:?}");
    }
    assert!(matches!(builder.add(1, &[]), Err(Error::Ordinal { expected: 0, given: 1 })));
    builder.add(0, &[(3, Value::Number(1.0)), (0, Value::Text("w1"))]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    builder.finish(cutover_durable::fs::create(&path).unwrap()).unwrap();
    let index = TextIndex::open(Map::open(&path).unwrap(), &schema()).unwrap();
    assert_eq!(index.len(), 1);
    assert_eq!(search(&[all(&index)], &words("w1", Operator::Or), 9, &never).unwrap().total, 1);
}

#[test]
fn a_schema_that_cannot_be_is_refused() {
    for fields in [vec![text("a", 1.0), text("a", 1.0)], vec![text("a", f32::NAN)], vec![text("a", -1.0)]] {
        assert!(matches!(TextBuilder::new(&TextSchema { fields }), Err(Error::Schema { field, .. }) if field == "a"));
    }
}

#[test]
fn memory_in_use_grows_with_what_is_added() {
    let mut builder = TextBuilder::new(&body()).unwrap();
    let before = builder.memory_bytes();
    for ordinal in 0..50_000 {
        builder.add(ordinal, &[(0, Value::Text(&format!("word{ordinal} other{ordinal} words{ordinal}")))]).unwrap();
    }
    assert!(builder.memory_bytes() > before + 1_000_000, "{} after {before}", builder.memory_bytes());
}
