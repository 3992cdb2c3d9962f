//! Signatures from a segment and from its documents agree, and only then.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use cutover_text::{Analyzer, Case, FieldKind, Signer, TextIndex, TextSchema, Value};
use support::{Choices, build, field, never, text};

fn schema() -> TextSchema {
    let english =
        FieldKind::Text { analyzer: Analyzer::language("english", true).unwrap(), boost: 1.0, case: Case::Insensitive };
    let many = |kind: fn(bool, bool) -> FieldKind| kind(true, false);
    TextSchema {
        fields: vec![
            text("title", 2.0),
            field("body", english),
            field("kind", many(|many, facet| FieldKind::Keyword { many, facet })),
            field("price", many(|many, facet| FieldKind::Number { many, facet })),
            field("size", FieldKind::Integer { many: false, facet: false }),
            field("when", FieldKind::Date { many: false, facet: false }),
            field("sold", FieldKind::Boolean { many: false, facet: false }),
        ],
    }
}

/// Documents of arbitrary values: fields absent, given twice, with equal values, with long texts.
fn texts(choices: &mut Choices, count: usize) -> Vec<(String, String, [String; 2])> {
    let one = |choices: &mut Choices| {
        let length = choices.below(200);
        let kind = |choices: &mut Choices| format!("k{}", choices.below(9));
        (choices.words(3, 50), choices.words(length, 400), [kind(choices), kind(choices)])
    };
    (0..count).map(|_| one(choices)).collect()
}

fn documents<'a>(choices: &mut Choices, texts: &'a [(String, String, [String; 2])]) -> Vec<Vec<(usize, Value<'a>)>> {
    let one = |choices: &mut Choices, (title, body, kinds): &'a (String, String, [String; 2])| {
        let price = choices.below(5) as f64 - 2.0;
        let all = [
            (0, Value::Text(title)),
            (1, Value::Text(body)),
            (1, Value::Text(title)),
            (2, Value::Keyword(&kinds[0])),
            (2, Value::Keyword(&kinds[1])),
            (3, Value::Number(price)),
            (3, Value::Number(-price)),
            (4, Value::Integer(i64::from(choices.below(70_000) as u32) - 9)),
            (5, Value::Date(i64::from(choices.below(1 << 30) as u32) << 10)),
            (6, Value::Boolean(choices.below(2) == 0)),
        ];
        all.into_iter().filter(|_| choices.below(4) > 0).collect()
    };
    texts.iter().map(|text| one(choices, text)).collect()
}

fn sign(documents: &[Vec<(usize, Value<'_>)>]) -> Vec<u64> {
    let mut signer = Signer::new(&schema());
    documents.iter().map(|values| signer.sign(values).unwrap()).collect()
}

#[test]
fn a_segment_has_the_signatures_of_its_documents() {
    let mut choices = Choices(5);
    let texts = texts(&mut choices, 700);
    let documents = documents(&mut choices, &texts);
    let built = build(&schema(), &documents);
    assert_eq!(built.index.signatures(&never).unwrap(), sign(&documents));
}

#[test]
fn every_difference_of_a_document_shows_in_its_signature_alone() {
    let mut choices = Choices(6);
    let texts = texts(&mut choices, 60);
    let documents = documents(&mut choices, &texts);
    let signed = sign(&documents);
    for (at, values) in documents.iter().enumerate() {
        for drop in 0..values.len() {
            let mut fewer = documents.clone();
            let (number, value) = fewer[at].remove(drop);
            let empty = matches!(value, Value::Text(text) if text.is_empty());
            let again = fewer[at].iter().any(|(n, v)| *n == number && !matches!(v, Value::Text(_)) && *v == value);
            let differing: Vec<usize> = (0..signed.len()).filter(|i| sign(&fewer)[*i] != signed[*i]).collect();
            let expected = if empty || again { vec![] } else { vec![at] };
            assert_eq!(differing, expected, "document {at} without {value:?}");
        }
        if at == 5 {
            break;
        }
    }
}

#[test]
fn another_segments_signatures_differ() {
    let (mut one, mut other) = (Choices(7), Choices(8));
    let (texts, others) = (texts(&mut one, 50), texts(&mut other, 50));
    let built = build(&schema(), &documents(&mut one, &texts));
    let found = built.index.signatures(&never).unwrap();
    let differing = found.iter().zip(sign(&documents(&mut other, &others))).filter(|(a, b)| *a != b).count();
    assert_eq!(differing, 50);
}

#[test]
fn reading_signatures_can_be_cancelled() {
    let mut choices = Choices(9);
    let texts = texts(&mut choices, 20);
    let built = build(&schema(), &documents(&mut choices, &texts));
    let index: &TextIndex = &built.index;
    assert!(matches!(index.signatures(&|| true), Err(cutover_text::Error::Cancelled)));
}
