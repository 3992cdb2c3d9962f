//! Documents come in the order in which a scan would put them, and are counted in the ranges in which a scan finds them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::cmp::Ordering;

use cutover_text::{
    Error, FieldKind, MAX_SORT_KEYS, Order, SegmentRef, SortKey, TextSchema, Value, keywords_of, range_counts, sorted,
};
use fixedbitset::FixedBitSet;
use support::{Built, Choices, all, build, field, never, text};

const KEYWORDS: [&str; 9] = ["", "a", "A", "ab", "é", "\0", "zz", "src/a", "b"];

fn schema() -> TextSchema {
    let facet = true;
    let fields = [false, true].into_iter().flat_map(|many| {
        [
            field(if many { "keywords" } else { "keyword" }, FieldKind::Keyword { many, facet }),
            field(if many { "numbers" } else { "number" }, FieldKind::Number { many, facet }),
            field(if many { "dates" } else { "date" }, FieldKind::Date { many, facet }),
            field(if many { "booleans" } else { "boolean" }, FieldKind::Boolean { many, facet }),
        ]
    });
    TextSchema { fields: fields.chain([text("body", 1.0)]).collect() }
}

type Document = Vec<(usize, Value<'static>)>;

/// Documents of a segment, whose keywords are some of all only, so that ranks differ from segment to segment.
fn documents(count: usize, from: usize, choices: &mut Choices) -> Vec<Document> {
    let fields = schema().fields;
    let one = |_| {
        let mut document = Document::new();
        for (number, spec) in fields.iter().enumerate() {
            let most = if spec.name.ends_with('s') { 4 } else { 2 };
            (0..choices.below(most)).for_each(|_| {
                document.push((
                    number,
                    match spec.kind {
                        FieldKind::Keyword { .. } => Value::Keyword(KEYWORDS[from + choices.below(5)]),
                        FieldKind::Number { .. } => {
                            Value::Number([-1e300, -2.5, -0.0, 0.0, 1.5, 1e300][choices.below(6)])
                        }
                        FieldKind::Date { .. } => {
                            Value::Date([-3, -1, 0, 2, 1000, 4000][choices.below(6)] + i64::from(from as u32))
                        }
                        FieldKind::Boolean { .. } => Value::Boolean(choices.once_in(2)),
                        _ => Value::Text("words"),
                    },
                ));
            });
        }
        document
    };
    (0..count).map(one).collect()
}

fn compare(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Keyword(a), Value::Keyword(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b).unwrap(),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        _ => unreachable!("values of one field are of one kind"),
    }
}

/// The value of a document that counts.
fn value(document: &Document, key: &SortKey) -> Option<Value<'static>> {
    let number = schema().fields.iter().position(|spec| spec.name == key.field).unwrap();
    let values = document.iter().filter(|(field, _)| *field == number).map(|(_, value)| *value);
    match key.order {
        Order::Ascending => values.min_by(compare),
        Order::Descending => values.max_by(compare),
    }
}

fn scan(corpora: &[Vec<Document>], allowed: &[FixedBitSet], keys: &[SortKey]) -> Vec<(usize, u32)> {
    let mut found: Vec<(usize, u32)> = (0..corpora.len())
        .flat_map(|segment| allowed[segment].ones().map(move |ordinal| (segment, ordinal as u32)))
        .filter(|(segment, ordinal)| (*ordinal as usize) < corpora[*segment].len())
        .collect();
    found.sort_by(|a, b| {
        let of = |(segment, ordinal): (usize, u32), key| value(&corpora[segment][ordinal as usize], key);
        let by_key = keys.iter().map(|key| match (of(*a, key), of(*b, key)) {
            (Some(x), Some(y)) if key.order == Order::Ascending => compare(&x, &y),
            (Some(x), Some(y)) => compare(&y, &x),
            (x, y) => y.is_some().cmp(&x.is_some()),
        });
        by_key.fold(Ordering::Equal, Ordering::then).then(a.cmp(b))
    });
    found
}

fn corpora() -> (Vec<Vec<Document>>, Vec<Built>) {
    let mut choices = Choices(11);
    let corpora: Vec<Vec<Document>> =
        [(700, 0), (1, 2), (0, 0), (900, 4)].map(|(count, from)| documents(count, from, &mut choices)).to_vec();
    let built = corpora.iter().map(|documents| build(&schema(), documents)).collect();
    (corpora, built)
}

#[test]
fn documents_come_in_the_order_of_a_scan() {
    let (corpora, built) = corpora();
    let names = ["keyword", "number", "date", "boolean", "keywords", "numbers", "dates", "booleans"];
    let mut choices = Choices(12);
    for round in 0..300 {
        let keys: Vec<SortKey> = (0..=choices.below(3))
            .map(|_| SortKey {
                field: names[choices.below(names.len())].to_owned(),
                order: if choices.once_in(2) { Order::Ascending } else { Order::Descending },
            })
            .collect();
        let every = 1 + choices.below(5);
        let allowed: Vec<FixedBitSet> = corpora.iter().map(|c| (0..c.len()).step_by(every).collect()).collect();
        let segments: Vec<SegmentRef<'_>> =
            built.iter().zip(&allowed).map(|(b, bits)| SegmentRef { index: &b.index, allowed: Some(bits) }).collect();
        let expected = scan(&corpora, &allowed, &keys);
        for limit in [0, 1, 10, 1000, usize::MAX] {
            let found = sorted(&segments, &keys, limit, &never).unwrap();
            assert_eq!(found, expected[..expected.len().min(limit)], "round {round}: {keys:?}, {limit}");
        }
        // The last segment alone, all of it: its ranks are its own.
        let own: Vec<FixedBitSet> =
            (0..4).map(|at| if at == 3 { (0..900).collect() } else { FixedBitSet::new() }).collect();
        let alone = sorted(&[all(&built[3].index)], &keys, 20, &never).unwrap();
        let expected = scan(&corpora, &own, &keys);
        assert!(alone.iter().map(|(_, ordinal)| *ordinal).eq(expected[..20].iter().map(|(_, ordinal)| *ordinal)));
    }
}

#[test]
fn ranges_count_what_a_scan_counts() {
    let (corpora, built) = corpora();
    let edges = [f64::NEG_INFINITY, -2.5, -0.0, 0.0, 1.5, 2.0, 4000.0, f64::INFINITY, f64::NAN];
    let ranges: Vec<(f64, f64)> = edges.iter().flat_map(|from| edges.map(|to| (*from, to))).collect();
    let segments: Vec<SegmentRef<'_>> = built.iter().map(|built| all(&built.index)).collect();
    for (number, spec) in schema().fields.iter().enumerate().filter(|(_, spec)| spec.name.starts_with(['n', 'd'])) {
        let counted = range_counts(&segments, &spec.name, &ranges).unwrap();
        for ((from, to), count) in ranges.iter().zip(counted) {
            let within = |(field, value): &(usize, Value<'_>)| {
                let of = |number: f64| *from <= number && number < *to;
                *field == number
                    && match value {
                        Value::Number(number) => of(*number),
                        Value::Date(date) => of(*date as f64),
                        _ => false,
                    }
            };
            let expected = corpora.iter().flatten().filter(|document| document.iter().any(within)).count() as u64;
            assert_eq!(count, expected, "{} from {from} to {to}", spec.name);
        }
    }
}

#[test]
fn keywords_of_a_document_are_its_own_in_their_order() {
    let (corpora, built) = corpora();
    for (documents, built) in corpora.iter().zip(&built) {
        for (ordinal, document) in documents.iter().enumerate() {
            let number = schema().fields.iter().position(|spec| spec.name == "keywords").unwrap();
            let mut expected: Vec<&str> = document
                .iter()
                .filter_map(|(field, value)| match value {
                    Value::Keyword(keyword) if *field == number => Some(*keyword),
                    _ => None,
                })
                .collect();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(keywords_of(&built.index, "keywords", ordinal as u32).unwrap(), expected);
        }
    }
}

#[test]
fn what_has_no_order_no_ranges_or_no_groups_is_refused_by_name() {
    let (_, built) = corpora();
    let index = &built[0].index;
    let by = |field: &str| SortKey { field: field.to_owned(), order: Order::Ascending };
    for keys in [vec![by("body")], vec![by("missing")], vec![], vec![by("date"); MAX_SORT_KEYS + 1]] {
        assert!(matches!(sorted(&[all(index)], &keys, 1, &never), Err(Error::Query { .. })), "{keys:?}");
    }
    for field in ["keyword", "body", "missing", "boolean"] {
        let refused = range_counts(&[all(index)], field, &[(0.0, 1.0)]);
        assert!(matches!(refused, Err(Error::Query { field: named, .. }) if named == field), "{field}");
    }
    assert!(keywords_of(index, "number", 0).is_err() && keywords_of(index, "keyword", 700).is_err());
    assert!(matches!(sorted(&[all(index)], &[by("date")], 1, &|| true), Err(Error::Cancelled)));
}
