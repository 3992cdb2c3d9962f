//! Names of source code.

use super::{Analysis, Analyzer, Form, placed, terms_in, tokens};

const CODE: Analysis = Analysis { analyzer: Analyzer::Code, form: Form::Folded };

/// The parts of a text's names, without the wholes.
fn parts(text: &str) -> String {
    let parts = tokens(CODE.document(), text).into_iter().filter(|token| token.position_length == 1);
    parts.map(|token| token.text).collect::<Vec<_>>().join(" ")
}

#[test]
fn names_are_cut_where_a_reader_would_cut_them() {
    let table = [
        ("parseHTTPRequest", "parse http request"),
        ("parse_http_request", "parse http request"),
        ("PARSE_HTTP_REQUEST", "parse http request"),
        ("parse-http-request", "parse http request"),
        ("HTTPServer", "http server"),
        ("getURL", "get url"),
        ("URLParser", "url parser"),
        ("URLs", "urls"),
        ("userIDs", "user ids"),
        ("userIDsByName", "user ids by name"),
        ("innerHTML", "inner html"),
        ("XMLHttpRequest", "xml http request"),
        ("iOS", "i os"),
        ("aB", "a b"),
        ("ABTest", "ab test"),
        ("sha256", "sha 256"),
        ("utf8Decode", "utf 8 decode"),
        ("base64url", "base 64 url"),
        ("x86_64", "x 86 64"),
        ("Vec3D", "vec 3 d"),
        ("2d", "2 d"),
        ("_private", "private"),
        ("__proto__", "proto"),
        ("$el", "el"),
        ("a$b", "a b"),
        ("fs.readFileSync(path)", "fs read file sync path"),
        ("src/query/plan.rs", "src query plan rs"),
        ("C:\\Users\\me", "c users me"),
        ("std::collections::HashMap", "std collections hash map"),
        ("i--", "i"),
        ("a->b", "a b"),
        ("n-1", "n 1"),
        ("x - y", "x y"),
        ("--flag-name=3", "flag name 3"),
        ("@types/node", "types node"),
        ("größeÄndern", "größe ändern"),
        ("ПарсерHTTP", "парсер http"),
        ("名前Name", "名 前 name"),
        ("e\u{301}tatInitial", "état initial"),
        ("", ""),
        ("___ $$ --", ""),
    ];
    for (text, expected) in table {
        assert_eq!(parts(text), expected, "{text:?}");
    }
}

#[test]
fn the_whole_of_a_name_is_a_term_at_its_first_part() {
    let expected = "parsehttprequest@0+3 parse@0 http@1 request@2 x@3";
    for text in ["parseHTTPRequest(x)", "parse_http_request x", "ParseHttpRequest.x", "parse-http-request/x"] {
        assert_eq!(placed(CODE.document(), text), expected, "{text:?}");
    }
    assert_eq!(
        placed(CODE.document(), "word Word WORD 42"),
        "word@0 word@1 word@2 42@3",
        "of one part there is no other whole"
    );
}

#[test]
fn offsets_are_those_of_the_parts() {
    let text = "let parseHTTPRequest = _x_1";
    let slices: Vec<_> = tokens(CODE.document(), text).iter().map(|t| &text[t.offset_from..t.offset_to]).collect();
    assert_eq!(slices, ["let", "parseHTTPRequest", "parse", "HTTP", "Request", "x_1", "x", "1"]);
}

#[test]
fn a_query_asks_for_the_names_that_its_words_make() {
    assert_eq!(
        placed(CODE.query(), "parse http request"),
        "parsehttprequest@0+3 parsehttp@0+2 parse@0 httprequest@1+2 http@1 request@2"
    );
    assert_eq!(
        placed(CODE.query(), "parseHTTPRequest"),
        "parsehttprequest@0+3 parsehttp@0+2 parse@0 httprequest@1+2 http@1 request@2",
        "each once, however the query is written"
    );
    let exact = Analysis { form: Form::Exact, ..CODE };
    assert_eq!(placed(exact.query(), "parse HTTP"), "parse@0 HTTP@1", "as written there is nothing between them");
}

#[test]
fn the_exact_form_keeps_names_as_they_are_spelt() {
    let terms = |text| terms_in(Form::Exact, Analyzer::Code, text);
    assert_eq!(terms("parseHTTPRequest"), ["parseHTTPRequest", "parse", "HTTP", "Request"]);
    assert_eq!(terms("parse_http"), ["parse_http", "parse", "http"]);
}

#[test]
fn data_that_looks_like_a_name_is_not_cut() {
    let blob = "aB3".repeat(100);
    assert_eq!(terms_in(Form::Folded, Analyzer::Code, &blob), [blob.to_lowercase()]);
    let many = "aB".repeat(40);
    assert_eq!(terms_in(Form::Folded, Analyzer::Code, &many), [many.to_lowercase()]);
    let huge = format!("before {} after", "aB3".repeat(100_000));
    assert_eq!(placed(CODE.document(), &huge), "before@0 after@2", "a gap stays where it was");
}

#[test]
fn a_long_query_makes_a_bounded_number_of_names() {
    let query = "word ".repeat(10_000);
    assert!(tokens(CODE.query(), &query).len() <= 10_000 + 64 * 4);
}
