//! Phrases, beginnings, near words, regular expressions and the query language find what a scan over the documents finds, with the scores
//! that the definition gives them.
#![expect(clippy::unwrap_used, clippy::cast_possible_wrap, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cutover_text::{Error, Fuzzy, Mode, Operator, TextHits, TextQuery, TextSchema, Value, search};
use support::{Built, Choices, all, build, never, plan, text};
use tantivy::fieldnorm::FieldNormReader;

const FIELDS: [&str; 2] = ["title", "body"];
const BOOSTS: [f64; 2] = [3.0, 1.0];

fn schema() -> TextSchema {
    TextSchema { fields: vec![text("title", 3.0), text("body", 1.0)] }
}

type Document = [Vec<String>; 2];

/// Few different words, so that they often stand beside each other, and many that are nearly alike.
fn corpus(documents: usize, choices: &mut Choices) -> Vec<Document> {
    let syllables = ["ka", "ke", "ta", "te", "na", "k", "t"];
    let word = |choices: &mut Choices| -> String {
        (0..=choices.below(3)).map(|_| syllables[choices.below(syllables.len())]).collect()
    };
    (0..documents)
        .map(|_| {
            [3, 14].map(|most| {
                let length = choices.below(most);
                (0..length).map(|_| word(choices)).collect()
            })
        })
        .collect()
}

fn segments(documents: &[Document], cuts: &[usize]) -> Vec<Built> {
    let mut from = 0;
    let mut segment = |to: usize| {
        let joined: Vec<[String; 2]> =
            documents[from..to].iter().map(|d| d.clone().map(|words| words.join(" "))).collect();
        from = to;
        let values: Vec<Vec<(usize, Value<'_>)>> = joined
            .iter()
            .map(|texts| texts.iter().enumerate().map(|(field, text)| (field, Value::Text(text))).collect())
            .collect();
        build(&schema(), &values)
    };
    cuts.iter().map(|cut| segment(*cut)).collect()
}

/// What a word or a phrase of a query stands for: by field, how often a document has it, and how common its commonest term is.
struct Unit {
    /// (document, field) to occurrences, weighed by nearness.
    occurrences: HashMap<(usize, usize), f64>,
    idf: f64,
    boost: f64,
}

struct Oracle<'a> {
    documents: &'a [Document],
}

impl Oracle<'_> {
    fn idf(&self, having: usize) -> f64 {
        let (documents, having) = (self.documents.len() as f64, having as f64);
        (1.0 + (documents - having + 0.5) / (having + 0.5)).ln()
    }

    fn having(&self, field: usize, word: &str) -> usize {
        self.documents.iter().filter(|texts| texts[field].iter().any(|other| other == word)).count()
    }

    /// All words of both fields that `near` accepts, each counted as it says.
    fn words(&self, near: impl Fn(&str) -> Option<f64>) -> Unit {
        let (mut occurrences, mut commonest): (HashMap<(usize, usize), f64>, usize) = Default::default();
        for field in 0..2 {
            let terms: BTreeSet<&String> = self.documents.iter().flat_map(|texts| &texts[field]).collect();
            for term in terms {
                let Some(weight) = near(term) else { continue };
                commonest = commonest.max(self.having(field, term));
                for (at, texts) in self.documents.iter().enumerate() {
                    let count = texts[field].iter().filter(|other| *other == term).count();
                    if count > 0 {
                        *occurrences.entry((at, field)).or_default() += weight * count as f64;
                    }
                }
            }
        }
        Unit { occurrences, idf: self.idf(commonest), boost: 1.0 }
    }

    fn phrase(&self, words: &[&str], slop: i64) -> Unit {
        let mut occurrences = HashMap::new();
        let known = |field: usize| words.iter().all(|word| self.having(field, word) > 0);
        for (at, texts) in self.documents.iter().enumerate() {
            for (field, text) in texts.iter().enumerate() {
                let starts = starts(words, text, slop);
                if starts > 0 {
                    occurrences.insert((at, field), starts as f64);
                }
            }
        }
        let commonest = |word: &&str| (0..2).filter(|field| known(*field)).map(|field| self.having(field, word)).max();
        let idf = words.iter().filter_map(commonest).map(|having| self.idf(having)).sum();
        Unit { occurrences, idf, boost: 1.0 }
    }

    fn score(&self, units: &[&Unit]) -> BTreeMap<usize, f64> {
        let total = |field: usize| self.documents.iter().map(|texts| texts[field].len() as f64).sum::<f64>();
        let average = (BOOSTS[0] * total(0) + BOOSTS[1] * total(1)) / self.documents.len() as f64;
        let mut scores = BTreeMap::new();
        for (at, texts) in self.documents.iter().enumerate() {
            let kept = |field: usize| {
                f64::from(FieldNormReader::id_to_fieldnorm(FieldNormReader::fieldnorm_to_id(texts[field].len() as u32)))
            };
            let norm = 1.2 * (0.25 + 0.75 * (BOOSTS[0] * kept(0) + BOOSTS[1] * kept(1)) / average);
            for unit in units {
                let of = |field: usize| unit.occurrences.get(&(at, field)).map(|count| BOOSTS[field] * count);
                if of(0).is_some() || of(1).is_some() {
                    let occurrences = of(0).unwrap_or(0.0) + of(1).unwrap_or(0.0);
                    *scores.entry(at).or_default() += unit.boost * unit.idf * 2.2 * occurrences / (occurrences + norm);
                }
            }
        }
        scores
    }
}

/// By trying every choice of positions: how many least positions, each moved back by its word's place, there are.
fn starts(words: &[&str], text: &[String], slop: i64) -> usize {
    fn choose(words: &[&str], text: &[String], slop: i64, chosen: &mut Vec<usize>, found: &mut BTreeSet<i64>) {
        let moved = |chosen: &[usize]| -> Vec<i64> {
            chosen.iter().enumerate().map(|(place, at)| *at as i64 - place as i64).collect()
        };
        let all = moved(chosen);
        if let (Some(least), Some(most)) = (all.iter().min(), all.iter().max()) {
            if most - least > slop {
                return;
            }
            if chosen.len() == words.len() {
                found.insert(*least);
                return;
            }
        }
        for at in 0..text.len() {
            if text[at] == words[chosen.len()] && !chosen.contains(&at) {
                chosen.push(at);
                choose(words, text, slop, chosen, found);
                chosen.pop();
            }
        }
    }
    let mut found = BTreeSet::new();
    choose(words, text, slop, &mut Vec::new(), &mut found);
    found.len()
}

/// Letters inserted, left out, replaced or changed over with a neighbour (optimal string alignment), by the table.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(table[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    table[a.len()][b.len()]
}

fn agrees(segments: &[Built], query: &TextQuery, expected: &BTreeMap<usize, f64>) -> TextHits {
    let refs: Vec<_> = segments.iter().map(|built| all(&built.index)).collect();
    let found = search(&refs, query, 10_000, &never).unwrap();
    let before = |segment: usize| segments[..segment].iter().map(|built| built.index.len() as usize).sum::<usize>();
    let scores: BTreeMap<usize, f32> =
        found.hits.iter().map(|hit| (before(hit.segment) + hit.ordinal as usize, hit.score)).collect();
    assert_eq!(scores.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{query:?}");
    for (at, score) in &scores {
        let due = expected[at];
        assert!((f64::from(*score) - due).abs() <= 1e-5 * due.abs().max(1.0), "{query:?}: {score} where {due} was due");
    }
    assert_eq!(found.total, expected.len() as u64);
    assert_eq!(search(&refs, query, 0, &never).unwrap().total, found.total, "{query:?} only counted");
    found
}

fn asked(mode: Mode, text: impl Into<String>) -> TextQuery {
    TextQuery { mode, query: text.into(), ..TextQuery::default() }
}

#[test]
fn phrases_are_found_where_every_choice_of_positions_says_so() {
    let mut choices = Choices(5);
    let documents = corpus(600, &mut choices);
    let (built, oracle) = (segments(&documents, &[200, 600]), Oracle { documents: &documents });
    let mut found = 0;
    for _ in 0..150 {
        // Words that some text has near each other, now and then one twice.
        let text = &documents[choices.below(600)][1];
        if text.len() < 4 {
            continue;
        }
        let from = choices.below(text.len() - 3);
        let mut words: Vec<&str> = text[from..from + 2 + choices.below(2)].iter().map(String::as_str).collect();
        if choices.once_in(4) {
            words.push(words[0]);
        }
        if choices.once_in(3) {
            words.swap(0, 1);
        }
        let slop = choices.below(4);
        let expected = oracle.score(&[&oracle.phrase(&words, slop as i64)]);
        let query = TextQuery { slop: slop as u32, ..asked(Mode::Phrase, words.join(" ")) };
        found += agrees(&built, &query, &expected).hits.len();
        let quoted = asked(Mode::Syntax, format!("\"{}\"~{slop}", words.join(" ")));
        agrees(&built, &quoted, &expected);
    }
    assert!(found > 200, "only {found} documents were found");
}

#[test]
fn beginnings_near_words_and_patterns_stand_for_all_their_terms() {
    let mut choices = Choices(6);
    let documents = corpus(600, &mut choices);
    let (built, oracle) = (segments(&documents, &[250, 600]), Oracle { documents: &documents });
    let vocabulary: Vec<&String> = documents.iter().flat_map(|texts| &texts[1]).collect();
    for _ in 0..60 {
        let word = vocabulary[choices.below(vocabulary.len())].as_str();
        let other = vocabulary[choices.below(vocabulary.len())].as_str();
        let whole = oracle.words(|term| (term == other).then_some(1.0));

        let beginning = oracle.words(|term| term.starts_with(word).then_some(1.0));
        let units: &[&Unit] = if other == word { &[&beginning, &whole] } else { &[&whole, &beginning] };
        agrees(&built, &asked(Mode::Prefix, format!("{other} {word}")), &oracle.score(units));
        agrees(&built, &asked(Mode::Syntax, format!("{word}*")), &oracle.score(&[&beginning]));

        for (fuzzy, most) in [(Fuzzy::One, 1), (Fuzzy::Two, 2), (Fuzzy::Auto, usize::from(word.len() >= 4))] {
            for prefix in [0, 1, 2] {
                let near = oracle.words(|term| {
                    let same = term.starts_with(&word[..prefix.min(word.len())]);
                    let letters = distance(word, term);
                    let most = if fuzzy == Fuzzy::Auto && word.len() > 7 { 2 } else { most };
                    (same && letters <= most).then(|| 1.0 / (1 + letters) as f64)
                });
                let query = TextQuery { fuzzy, prefix_length: prefix as u32, ..asked(Mode::Words, word) };
                agrees(&built, &query, &oracle.score(&[&near]));
            }
        }

        let pattern = format!("{}.*a", &word[..1]);
        let matching =
            oracle.words(|term| (term.starts_with(&word[..1]) && term.len() > 1 && term.ends_with('a')).then_some(1.0));
        agrees(&built, &asked(Mode::Regex, pattern), &oracle.score(&[&matching]));
    }
}

#[test]
fn the_query_language_combines_as_sets_do_and_scores_what_must_be_there() {
    let mut choices = Choices(7);
    let documents = corpus(500, &mut choices);
    let (built, oracle) = (segments(&documents, &[500]), Oracle { documents: &documents });
    let vocabulary: BTreeSet<&String> = documents.iter().flat_map(|texts| &texts[1]).collect();
    let vocabulary: Vec<&String> = vocabulary.into_iter().collect();
    for _ in 0..60 {
        let mut pick = || vocabulary[choices.below(vocabulary.len())].as_str();
        let words = [pick(), pick(), pick()];
        if words[0] == words[1] || words[1] == words[2] || words[0] == words[2] {
            continue;
        }
        let units = words.map(|word| oracle.words(|term| (term == word).then_some(1.0)));
        let has = |unit: usize, at: usize| (0..2).any(|field| units[unit].occurrences.contains_key(&(at, field)));
        let [a, b, c] = words;
        let scored = |which: &[usize]| oracle.score(&which.iter().map(|at| &units[*at]).collect::<Vec<_>>());
        let mut both = scored(&[0, 1]);
        both.retain(|at, _| has(0, *at) && has(1, *at));
        agrees(&built, &asked(Mode::Syntax, format!("{a} AND {b}")), &both);
        let mut without = scored(&[0, 1]);
        without.retain(|at, _| (has(0, *at) || has(1, *at)) && !has(2, *at));
        agrees(&built, &asked(Mode::Syntax, format!("({a} OR {b}) AND NOT {c}")), &without);
        let all: BTreeMap<usize, f64> = (0..500).filter(|at| !has(0, *at)).map(|at| (at, 0.0)).collect();
        agrees(&built, &asked(Mode::Syntax, format!("NOT {a}")), &all);
        let mut every = scored(&[0, 1, 2]);
        every.retain(|at, _| (0..3).all(|unit| has(unit, *at)));
        let query = TextQuery { operator: Operator::And, ..asked(Mode::Words, words.join(" ")) };
        agrees(&built, &query, &every);
    }
}

#[test]
fn an_explanation_adds_up_to_the_score() {
    let mut choices = Choices(8);
    let documents = corpus(400, &mut choices);
    let built = segments(&documents, &[100, 400]);
    let refs: Vec<_> = built.iter().map(|built| all(&built.index)).collect();
    let mut explained = 0;
    for text in ["ka te", "\"ka ta\"~2 ke*", "kata~1 NOT na", "title:ka^2 body:te"] {
        let query = TextQuery { prefix_length: 1, ..asked(Mode::Syntax, text) };
        let plan = plan(&refs, &query);
        for hit in plan.search(&refs, 20, &never).unwrap().hits {
            let told = plan.explain(&refs, (hit.segment, hit.ordinal)).unwrap().unwrap();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-5;
            assert!(near(told.parts.iter().map(|part| part.score).sum(), f64::from(hit.score)), "{told:?}");
            for part in &told.parts {
                let frequency: f64 = part.fields.iter().map(|field| field.weight * f64::from(field.occurrences)).sum();
                assert!(near(frequency, part.frequency), "{part:?}");
                let score = part.boost * part.idf * (told.k1 + 1.0) * frequency / (frequency + part.norm);
                assert!(near(score, part.score), "{part:?}");
                assert!(part.fields.iter().all(|field| FIELDS.contains(&&*field.field)));
            }
            explained += 1;
        }
    }
    assert_eq!(plan(&refs, &asked(Mode::Words, "nowhere")).explain(&refs, (0, 0)).unwrap(), None);
    assert!(explained > 40);
}

#[test]
fn a_regular_expression_matches_whole_terms_letter_by_letter() {
    let terms = ["a", "aa", "ab", "abb", "ba", "é", "éa", "字", "字字", "straße", "x1", "x12", "x123", "q"];
    let documents: Vec<Document> = terms.iter().map(|term| [vec![(*term).to_owned()], Vec::new()]).collect();
    let built = segments(&documents, &[5, terms.len()]);
    let refs: Vec<_> = built.iter().map(|built| all(&built.index)).collect();
    let cases: [(&str, &[&str]); 14] = [
        ("a", &["a"]),
        ("ab*", &["a", "ab", "abb"]),
        ("ab+|q", &["ab", "abb", "q"]),
        ("(a|b){2}", &["aa", "ab", "ba"]),
        ("a?b?", &["a", "ab"]),
        // Each ideograph is a term.
        (".", &["a", "é", "字", "字字", "q"]),
        ("\\p{Han}+", &["字", "字字"]),
        ("[^a-z].*", &["é", "éa", "字", "字字"]),
        (".*ß.", &["straße"]),
        ("x[0-9]{2,}", &["x12", "x123"]),
        ("x\\d{1,2}", &["x1", "x12"]),
        ("(?i)X1", &["x1"]),
        ("((a*)*b?)*", &["a", "aa", "ab", "abb", "ba"]),
        ("", &[]),
    ];
    for (pattern, expected) in cases {
        let found = search(&refs, &asked(Mode::Regex, pattern), 50, &never).unwrap();
        let place = |hit: &cutover_text::TextHit| hit.segment * 5 + hit.ordinal as usize;
        let found: BTreeSet<&str> = found.hits.iter().map(|hit| terms[place(hit)]).collect();
        assert_eq!(found, expected.iter().copied().collect(), "{pattern}");
    }
}

/// Made whole, their automata would have thousands of states.
#[test]
fn what_a_regular_expression_costs_is_what_it_meets() {
    let built = segments(&corpus(50, &mut Choices(3)), &[50]);
    for pattern in [".*\\p{L}\\p{L}\\p{L}\\p{L}", "(\\p{L}|\\p{N})*\\p{L}\\w\\w\\w", ".*k.{40}"] {
        let found = search(&[all(&built[0].index)], &asked(Mode::Regex, pattern), 5, &never).unwrap();
        assert!(found.work < 200_000, "{pattern}: {}", found.work);
    }
}

#[test]
fn what_cannot_be_asked_is_refused_by_name() {
    let built = segments(&[["a".to_owned(), "b".to_owned()].map(|word| vec![word])], &[1]);
    let refused = |query: TextQuery| search(&[all(&built[0].index)], &query, 1, &never).unwrap_err().to_string();
    let fuzzy = refused(TextQuery { fuzzy: Fuzzy::One, ..asked(Mode::Regex, "a") });
    assert!(fuzzy.contains("regular expression cannot be fuzzy"), "{fuzzy}");
    for pattern in ["(", "a{1000}{1000}{1000}", &"(a|b)*".repeat(300), "\\p{L}{900}", "^a", "a\\b", "(?-u:\\xff)"] {
        let error = search(&[all(&built[0].index)], &asked(Mode::Regex, pattern), 1, &never);
        assert!(matches!(error, Err(Error::Refused { .. })), "{pattern}: {error:?}");
    }
    let cased = refused(TextQuery { case_sensitive: Some(true), ..asked(Mode::Words, "a") });
    assert!(cased.contains("as it is written"), "{cased}");
    let missing = refused(asked(Mode::Syntax, "other:a"));
    assert!(missing.contains("no text field") && missing.contains("character 0"), "{missing}");
}

#[test]
fn the_work_of_a_query_is_what_it_reads() {
    let mut choices = Choices(9);
    let documents = corpus(300, &mut choices);
    let built = segments(&documents, &[300]);
    let work = |query: &TextQuery| search(&[all(&built[0].index)], query, 5, &never).unwrap().work;
    let having =
        |word: &str| (0..2).map(|field| Oracle { documents: &documents }.having(field, word)).sum::<usize>() as u64;
    // A look into each field's dictionary, and each posting once.
    assert_eq!(work(&asked(Mode::Words, "ka")), 2 + having("ka"));
    assert_eq!(work(&asked(Mode::Words, "ka ka ka")), 2 + having("ka"));
    assert_eq!(work(&asked(Mode::Words, "ka te")), 4 + having("ka") + having("te"));
}
