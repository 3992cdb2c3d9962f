//! Words, all words, phrases and beginnings match the very documents that they match in `SQLite`'s FTS5, in random texts and in real ones.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use cutover_text::{Mode, Operator, SegmentRef, TextQuery, TextSchema, Value};
use rusqlite::Connection;
use support::{Built, Choices, all, build, never, plan, text};

/// Two texts of a document. ASCII, of which both sides make the same words.
type Document = [String; 2];

/// The same documents in three segments and in a table.
struct Both {
    segments: Vec<Built>,
    table: Connection,
}

impl Both {
    fn new(documents: &[Document]) -> Self {
        let schema = TextSchema { fields: vec![text("title", 3.0), text("body", 1.0)] };
        let third = documents.len().div_ceil(3);
        let values = |[title, body]: &'_ Document| [(0, title.clone()), (1, body.clone())];
        let part = |part: &[Document]| {
            let texts: Vec<[(usize, String); 2]> = part.iter().map(values).collect();
            let each =
                texts.iter().map(|texts| texts.iter().map(|(field, text)| (*field, Value::Text(text))).collect());
            build(&schema, &each.collect::<Vec<_>>())
        };
        let table = Connection::open_in_memory().unwrap();
        table.execute_batch("create virtual table document using fts5 (title, body, tokenize = 'unicode61')").unwrap();
        let mut insert = table.prepare("insert into document (rowid, title, body) values (?, ?, ?)").unwrap();
        for (row, [title, body]) in documents.iter().enumerate() {
            insert.execute((i64::try_from(row).unwrap(), title, body)).unwrap();
        }
        drop(insert);
        Self { segments: documents.chunks(third).map(part).collect(), table }
    }

    fn ours(&self, query: &TextQuery) -> BTreeSet<i64> {
        let refs: Vec<SegmentRef<'_>> = self.segments.iter().map(|built| all(&built.index)).collect();
        let (mut found, mut before) = (BTreeSet::new(), 0);
        for (built, bits) in self.segments.iter().zip(plan(&refs, query).matches(&refs, &never).unwrap()) {
            found.extend(bits.ones().map(|ordinal| before + i64::try_from(ordinal).unwrap()));
            before += i64::from(built.index.len());
        }
        found
    }

    fn theirs(&self, query: &str) -> BTreeSet<i64> {
        let mut select = self.table.prepare("select rowid from document where document match ?").unwrap();
        let rows = select.query_map([query], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// Asks both everything that can be asked with words of the documents; how many answers were not empty, by kind.
    fn compare(&self, documents: &[Document], asked: usize, choices: &mut Choices) -> [usize; 4] {
        let mut found = [0; 4];
        for _ in 0..asked {
            let words = some_words(documents, choices);
            let spaced = words.join(" ");
            let each: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            let begun = &words[0][..=choices.below(words[0].len())];
            let query = |query: &str, mode, operator| TextQuery {
                query: query.to_owned(),
                mode,
                operator,
                ..TextQuery::default()
            };
            let cases = [
                (query(&spaced, Mode::Words, Operator::Or), each.join(" OR ")),
                (query(&spaced, Mode::Words, Operator::And), each.join(" AND ")),
                (query(&spaced, Mode::Phrase, Operator::Or), format!("\"{spaced}\"")),
                (query(begun, Mode::Prefix, Operator::Or), format!("\"{begun}\" *")),
            ];
            for (kind, (ours, theirs)) in cases.iter().enumerate() {
                let expected = self.theirs(theirs);
                assert_eq!(self.ours(ours), expected, "{theirs}");
                found[kind] += usize::from(!expected.is_empty());
            }
        }
        found
    }
}

/// One to four words: neighbours in a text, or from anywhere.
fn some_words<'a>(documents: &'a [Document], choices: &mut Choices) -> Vec<&'a str> {
    loop {
        let text = &documents[choices.below(documents.len())][choices.below(2)];
        let words: Vec<&str> =
            text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            continue;
        }
        let (from, count) = (choices.below(words.len()), 1 + choices.below(4));
        if choices.once_in(2) {
            return words.into_iter().skip(from).take(count).collect();
        }
        let one = words[from];
        if choices.once_in(3) || count == 1 {
            return vec![one];
        }
        let mut others = some_words(documents, choices);
        others.push(one);
        return others;
    }
}

#[test]
fn random_texts_are_matched_as_fts5_matches_them() {
    let mut choices = Choices(21);
    for vocabulary in [12, 300] {
        let mut text = |most: usize| {
            let length = choices.below(most);
            choices.words(length, vocabulary)
        };
        let documents: Vec<Document> = (0..600).map(|_| [text(4), text(25)]).collect();
        let found = Both::new(&documents).compare(&documents, 500, &mut choices);
        assert!(found.iter().all(|count| *count > 250), "{found:?}");
    }
}

/// This package's own documents and some of its source, line by line.
#[test]
fn real_texts_are_matched_as_fts5_matches_them() {
    let sources = [
        include_str!("../../../README.md"),
        include_str!("../../../docs/design.md"),
        include_str!("../../../docs/format.md"),
        include_str!("../../../docs/durability.md"),
        include_str!("../src/query/plan.rs"),
        include_str!("../src/analyzer/code/split.rs"),
    ];
    let ascii = |line: &str| line.replace(|c: char| !c.is_ascii(), " ");
    let mut documents: Vec<Document> = Vec::new();
    for source in sources {
        let mut heading = String::new();
        for line in source.lines().filter(|line| !line.is_empty()) {
            if line.starts_with('#') {
                heading = ascii(line);
            } else {
                documents.push([heading.clone(), ascii(line)]);
            }
        }
    }
    let found = Both::new(&documents).compare(&documents, 800, &mut Choices(22));
    assert!(documents.len() > 1000 && found.iter().all(|count| *count > 400), "{found:?}");
}
