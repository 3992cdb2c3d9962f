//! What a rebuild publishes, refuses and leaves alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Fixture, open, open_with, options, pack, write};
use cutover_index::{Cancel, Index, Packed, WriteOptions};
use serde_json::{Value, json};

const FIELDS: &str = r#"{
    "title": {"type": "text", "required": true}, "n": {"type": "number"}, "i": {"type": "integer"}, "d": {"type": "date"},
    "b": {"type": "boolean"}, "k": {"type": "keyword"}, "ks": {"type": "keyword", "many": true}, "extra": {"type": "stored"},
    "v": {"type": "vector", "dimensions": 3}
}"#;

fn documents(count: u32) -> Vec<Value> {
    (0..count)
        .map(|n| json!({"id": format!("doc-{n}"), "title": format!("number {n}"), "v": [1.0, f64::from(n), 0.5]}))
        .collect()
}

#[test]
fn a_duplicate_id_is_counted_and_its_last_document_wins_within_and_across_segments() {
    for budget in [1_usize, 64 << 20] {
        let fixture = open_with(cutover_index::Options { build_memory_bytes: budget, ..options(Some(FIELDS)) });
        let mut all = documents(6);
        all.push(json!({"id": "doc-2", "title": "second"}));
        all.push(json!({"id": "doc-2", "title": "third"}));
        let published = fixture.rebuild(&all, &["v"]);
        assert_eq!((published.info.counts.documents, published.info.counts.duplicates), (6, 2), "budget {budget}");
        assert_eq!(fixture.get("doc-2"), json!({"id": "doc-2", "title": "third"}));
        assert!(fixture.ids(&json!({"text": {"query": "second"}}), None).is_empty());
        assert_eq!(fixture.search(&json!({"limit": 0}), None)["total"], 6);
        let near = fixture.ids(&json!({"vector": {"exact": true}}), Some(&[1.0, 2.0, 0.5]));
        assert!(!near.contains(&"doc-2".to_owned()), "the replaced document's vector is gone: {near:?}");
    }
}

#[test]
fn no_document_and_one_document_are_whole_versions() {
    let fixture = open(FIELDS);
    assert_eq!(fixture.rebuild(&[], &[]).info.counts.documents, 0);
    assert_eq!(fixture.search(&json!({"text": {"query": "x"}, "vector": {}}), Some(&[1.0, 0.0, 0.0]))["total"], 0);
    assert_eq!(fixture.get("doc-0"), Value::Null);
    fixture.rebuild(&documents(1), &["v"]);
    assert_eq!(fixture.ids(&json!({"vector": {}, "limit": 100}), Some(&[1.0, 0.0, 0.0])), ["doc-0"]);
}

#[test]
fn what_was_written_comes_back_exactly() {
    let fixture = open(FIELDS);
    let id = "Ünï☃\u{1F600}\u{0000}/..\\x";
    let given = json!({"id": id, "title": "\u{2028} \" \\ 日本", "n": 0.1, "i": -9_007_199_254_740_992_i64, "b": false, "k": "",
        "ks": ["a", "a", "b"], "extra": {"deep": [1, {"x": null}]}, "v": [0.1, -2.5, 3.0e-8]});
    fixture.rebuild(std::slice::from_ref(&given), &["v"]);
    let answer = fixture.index.snapshot(None).unwrap().get_many(&[id.to_owned()], None).unwrap();
    let mut returned: Vec<Value> = serde_json::from_str(&answer.json).unwrap();
    assert_eq!(returned[0]["v"], 0, "a vector is named by its index");
    assert_eq!(answer.vectors, [vec![0.1_f32, -2.5, 3.0e-8]]);
    returned[0]["v"] = given["v"].clone();
    assert_eq!(returned[0], given);
}

#[test]
fn an_invalid_document_is_named_and_nothing_changes() {
    let fixture = open(FIELDS);
    let before = fixture.rebuild(&documents(3), &["v"]).info.id;
    let cases = [
        (json!({"id": "x", "title": "t", "v": [1.0, 2.0]}), "v", "2"),
        (json!({"id": "x", "title": "t", "v": [0.0, 0.0, 0.0]}), "v", "zeros"),
        (json!({"id": "x", "title": true}), "title", "true"),
        (json!({"id": "x", "title": [3]}), "title", "[3]"),
        (json!({"id": "x"}), "title", "nothing"),
        (json!({"id": "x", "title": "t", "n": "1"}), "n", "\"1\""),
        (json!({"id": "x", "title": "t", "i": 1.5}), "i", "1.5"),
        (json!({"id": "x", "title": "t", "d": "yesterday"}), "d", "yesterday"),
        (json!({"id": "x", "title": "t", "b": 1}), "b", "1"),
        (json!({"id": "x", "title": "t", "ks": "a"}), "ks", "\"a\""),
        (json!({"id": "x", "title": "t", "colour": "red"}), "colour", "red"),
        (json!({"id": "", "title": "t"}), "id", "\"\""),
        (json!({"id": "x".repeat(513), "title": "t"}), "id", "xxx"),
        (json!({"id": 7, "title": "t"}), "id", "7"),
    ];
    for (document, field, value) in cases {
        let error = fixture.try_rebuild(&[documents(1).remove(0), document.clone()], &["v"]).unwrap_err();
        assert_eq!(error.code(), "CUTOVER_DOCUMENT", "{document}: {error}");
        let detail = error.detail();
        assert_eq!(detail["field"], field, "{document}: {error}");
        assert!(detail["value"].as_str().unwrap().contains(value), "{document}: {error}");
        assert_eq!(fixture.index.snapshot(None).unwrap().id(), &before);
    }
    assert_eq!(fixture.index.store().unwrap().0.versions().unwrap().len(), 1);
}

#[test]
fn packed_floats_that_are_not_finite_are_refused_by_component() {
    let fixture = open(FIELDS);
    let cancel = Cancel::default();
    for bad in [f32::NAN, f32::INFINITY] {
        let error = fixture
            .begin()
            .add("{\"id\":\"x\",\"title\":\"t\",\"v\":3}\n", Packed { vectors: &[1.0, bad, 0.0], texts: "" }, &cancel)
            .unwrap_err();
        assert_eq!(error.code(), "CUTOVER_DOCUMENT");
        assert!(error.to_string().contains("component 1"), "{error}");
    }
}

#[test]
fn texts_beside_the_lines_are_stored_as_the_json_they_stand_for() {
    let fixture = open(FIELDS);
    let cancel = Cancel::default();
    let texts = ["say \"hi\"\n\u{1}é", "", "x\\y \u{2028} 😀"];
    let vectors = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].concat();
    let lines = format!(
        "{{\"id\":\"a\",\"title\":{},\"v\":3}}\n{{\"id\":\"bad\",\"title\":{},\"n\":true}}\n{{\"id\":\"b\",\"n\":1,\"title\":{},\"v\":3}}",
        texts[0].len(),
        texts[1].len(),
        texts[2].len()
    );
    let mut draft = fixture.index.begin(WriteOptions { skip_invalid: true, ..write("rebuild") }, &cancel).unwrap();
    let packed = Packed { vectors: &vectors, texts: &texts.concat() };
    assert_eq!(draft.add(&lines, packed, &cancel).unwrap().len(), 1);
    draft.complete(&cancel).unwrap();
    draft.publish(&cancel).unwrap();
    let answer = fixture.index.snapshot(None).unwrap().get_many(&["a".to_owned(), "b".to_owned()], None).unwrap();
    let expected = format!(
        "[{{\"id\":\"a\",\"title\":{},\"v\":0}},{{\"id\":\"b\",\"n\":1,\"title\":{},\"v\":1}}]",
        serde_json::to_string(texts[0]).unwrap(),
        serde_json::to_string(texts[2]).unwrap()
    );
    assert_eq!(answer.json, expected);

    for (packed, what) in [
        (Packed { vectors: &vectors, texts: "" }, "texts"),
        (Packed { vectors: &[], texts: &texts.concat() }, "floats"),
        // In the middle of a letter.
        (Packed { vectors: &vectors, texts: "éééééé" }, "texts"),
    ] {
        let error = fixture.begin().add("{\"id\":\"a\",\"title\":1,\"v\":3}", packed, &cancel).unwrap_err();
        assert!(error.to_string().contains(&format!("fewer {what}")), "{error}");
    }
}

#[test]
fn skipping_counts_and_reports_what_it_leaves_out_and_keeps_vectors_in_step() {
    let fixture = open(FIELDS);
    let cancel = Cancel::default();
    let options = WriteOptions { skip_invalid: true, ..write("rebuild") };
    let mut draft = fixture.index.begin(options, &cancel).unwrap();
    let all = [
        json!({"id": "bad", "title": true, "v": [9.0, 9.0, 9.0]}),
        json!({"id": "good", "title": "t", "v": [1.0, 2.0, 3.0]}),
        json!({"id": "worse", "title": "t", "v": [1.0]}),
        json!({"id": "fine", "title": "t", "v": [4.0, 5.0, 6.0]}),
    ];
    let (lines, packed) = pack(&all, &["v"]);
    let skipped = draft.add(&lines, Packed { vectors: &packed, texts: "" }, &cancel).unwrap();
    assert_eq!(skipped.iter().map(|e| e.detail()["id"].clone()).collect::<Vec<_>>(), ["bad", "worse"]);
    draft.complete(&cancel).unwrap();
    let info = draft.publish(&cancel).unwrap().info;
    assert_eq!((info.counts.documents, info.counts.skipped), (2, 2));
    let answer = fixture.index.snapshot(None).unwrap().get_many(&["fine".to_owned()], None).unwrap();
    assert_eq!(answer.vectors, [vec![4.0_f32, 5.0, 6.0]]);
}

#[test]
fn a_dropped_or_cancelled_draft_leaves_nothing() {
    let fixture = open(FIELDS);
    let before = fixture.rebuild(&documents(2), &["v"]).info.id;
    let cancel = Cancel::default();
    let mut draft = fixture.begin();
    let (lines, packed) = pack(&documents(50), &["v"]);
    draft.add(&lines, Packed { vectors: &packed, texts: "" }, &cancel).unwrap();
    cancel.cancel();
    assert_eq!(draft.complete(&cancel).unwrap_err().code(), "CANCELLED");
    drop(draft);
    let left: Vec<_> =
        std::fs::read_dir(fixture.directory.path().join("versions")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, [before.as_str()]);
    assert_eq!(fixture.index.snapshot(None).unwrap().id(), &before);
}

#[test]
fn a_new_schema_is_published_by_a_rebuild_and_refused_for_queries_until_then() {
    let first = open(FIELDS);
    first.rebuild(&documents(2), &["v"]);
    let path = first.directory.path();
    let second = Index::open(path, options(Some(r#"{"title": {"type": "keyword"}}"#))).unwrap();
    let error = second.snapshot(None).err().unwrap();
    assert_eq!(error.code(), "CUTOVER_SCHEMA");
    assert!(error.to_string().contains("title"), "{error}");
    let fixture = Fixture { index: second, directory: tempfile::tempdir().unwrap() };
    fixture.rebuild(&[json!({"id": "1", "title": "exact"})], &[]);
    assert_eq!(fixture.ids(&json!({"where": {"title": "exact"}}), None), ["1"]);
    // The process that declared the old schema keeps the newest version that it can serve, and says so.
    for _ in 0..2 {
        first.index.refresh(true).unwrap();
    }
    assert_eq!(first.search(&json!({"limit": 0}), None)["total"], 2);
    assert_eq!(first.index.take_problems().unwrap().first().map(cutover_index::Error::code), Some("CUTOVER_SCHEMA"));
}

#[test]
fn rollback_and_activate_change_what_is_served() {
    let fixture = open(FIELDS);
    let one = fixture.rebuild(&documents(1), &["v"]).info.id;
    let two = fixture.rebuild(&documents(2), &["v"]).info.id;
    let (wait, cancel) = (cutover_index::Wait::new(Some(0.0), None), Cancel::default());
    assert_eq!(fixture.index.rollback(None, &wait, &cancel).unwrap().id, one);
    assert_eq!(fixture.search(&json!({"limit": 0}), None)["total"], 1);
    assert_eq!(fixture.index.activate(two.as_str(), &wait, &cancel).unwrap().id, two);
    assert_eq!(fixture.search(&json!({"limit": 0}), None)["total"], 2);
    assert_eq!(fixture.index.activate("nope", &wait, &cancel).unwrap_err().code(), "CUTOVER_NOT_FOUND");
}

#[test]
fn one_build_thread_writes_the_same_vectors_and_ids_from_run_to_run() {
    let read = |fixture: &Fixture, file: &str| {
        let snapshot = fixture.index.snapshot(None).unwrap();
        let version = fixture.directory.path().join("versions").join(snapshot.id().as_str());
        std::fs::read(version.join(format!("segments/{}.0/{file}", snapshot.id()))).unwrap()
    };
    let (a, b) = (open(FIELDS), open(FIELDS));
    a.rebuild(&documents(500), &["v"]);
    b.rebuild(&documents(500), &["v"]);
    for file in ["documents", "ids", "v.graph", "v.full"] {
        assert_eq!(read(&a, file), read(&b, file), "{file}");
    }
}

#[test]
fn a_closed_index_refuses_and_what_it_had_open_goes_on() {
    let fixture = open(FIELDS);
    fixture.rebuild(&documents(2), &["v"]);
    let held = fixture.index.snapshot(None).unwrap();
    fixture.index.close();
    assert_eq!(fixture.index.snapshot(None).err().unwrap().code(), "CUTOVER_CLOSED");
    assert_eq!(held.count(None).unwrap(), 2);
}

#[test]
fn a_version_that_cannot_be_opened_is_not_made_current() {
    let fixture = open(FIELDS);
    let one = fixture.rebuild(&documents(3), &["v"]).info.id;
    let two = fixture.rebuild(&documents(4), &["v"]).info.id;
    let damaged = fixture.directory.path().join(format!("versions/{one}/segments/{one}.0/v.graph"));
    let mut bytes = std::fs::read(&damaged).unwrap();
    bytes[..8].fill(0);
    std::fs::remove_file(&damaged).unwrap();
    std::fs::write(&damaged, bytes).unwrap();
    let (wait, cancel) = (cutover_index::Wait::new(Some(0.0), None), Cancel::default());
    assert_eq!(fixture.index.rollback(None, &wait, &cancel).unwrap_err().code(), "CUTOVER_CORRUPT");
    assert_eq!(fixture.index.activate(one.as_str(), &wait, &cancel).unwrap_err().code(), "CUTOVER_CORRUPT");
    let reopened = Index::open(fixture.directory.path(), options(None)).unwrap();
    assert_eq!(reopened.snapshot(None).unwrap().id(), &two);
    assert_eq!(fixture.search(&json!({"limit": 0}), None)["total"], 4);
}
