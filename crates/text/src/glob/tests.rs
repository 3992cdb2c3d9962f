//! What patterns describe.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::{Glob, MAX_PATTERNS};

fn glob(patterns: &[&str]) -> Glob {
    Glob::new(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn patterns_describe_what_is_said_of_them() {
    let cases: [(&str, &[&str], &[&str]); 27] = [
        ("a.ts", &["a.ts"], &["a.tsx", "a-ts", "A.ts", "b/a.ts", ""]),
        ("", &[""], &["a"]),
        ("?", &["a", "é", "😀", "\n"], &["", "/", "ab"]),
        ("*.ts", &["a.ts", ".ts", "a b.ts"], &["b/a.ts", "a.tsx"]),
        ("src/*", &["src/a", "src/"], &["src/a/b", "src"]),
        ("**", &["", "a", "a/b", "/"], &[]),
        ("**/a.ts", &["a.ts", "b/a.ts", "c/b/a.ts"], &["xa.ts", "a.ts/b"]),
        ("src/**", &["src/a", "src/a/b", "src/"], &["src", "srca"]),
        ("src/**/a", &["src/a", "src/b/a", "src/c/b/a"], &["src/ba", "srca"]),
        ("a**b", &["ab", "axxb"], &["a/b", "ax/b"]),
        ("a/**b", &["a/xb", "a/b"], &["a/x/b"]),
        ("***", &["", "abc"], &["a/b"]),
        ("[abc]x", &["ax", "cx"], &["dx", "x"]),
        ("[a-cé]", &["b", "é"], &["d", "e"]),
        ("[!a-c]", &["d", "é", "!"], &["a", "/", ""]),
        ("[^a]", &["b", "^"], &["a", "/"]),
        ("[]a]", &["]", "a"], &["b"]),
        ("[!]a]", &["b"], &["]", "a"]),
        ("[a-]", &["a", "-"], &["b"]),
        (r"[\]\-x]", &["]", "-", "x"], &["\\", "a"]),
        ("[&&~~-]", &["&", "~", "-"], &["a", "["]),
        ("{a,bc}", &["a", "bc"], &["b", "a,bc", ""]),
        ("a{,b}", &["a", "ab"], &["abb"]),
        ("{src/**,lib/*}.ts", &["lib/a.ts"], &["lib/a/b.ts"]),
        ("{src/**,lib/{a,b}}", &["src/x/y", "lib/a", "lib/b"], &["lib/c"]),
        (r"\*\{\!\\", &[r"*{!\"], &["x", ""]),
        ("a,b}$(.|^", &["a,b}$(.|^"], &["a"]),
    ];
    for (pattern, yes, no) in cases {
        let glob = glob(&[pattern]);
        for keyword in no {
            assert!(!glob.matches(keyword), "{pattern:?} does not describe {keyword:?}");
        }
        for keyword in yes {
            assert!(glob.matches(keyword), "{pattern:?} describes {keyword:?}");
            assert!(glob.beginnings().iter().any(|beginning| keyword.starts_with(beginning.as_str())), "{pattern:?}");
        }
    }
}

#[test]
fn what_is_excluded_is_out_whatever_includes_it() {
    let sources = glob(&["src/**/*.ts", "!**/*.test.ts", "lib/*"]);
    for (keyword, is) in [("src/a.ts", true), ("src/b/a.test.ts", false), ("lib/x", true), ("lib/a.test.ts", false)] {
        assert_eq!(sources.matches(keyword), is, "{keyword}");
    }
    let rest = glob(&["!a*", "!b*"]);
    assert!(rest.matches("c") && rest.matches("") && !rest.matches("ax") && !rest.matches("b"));
    assert!(glob(&[r"\!a"]).matches("!a"));
}

#[test]
fn a_pattern_that_is_none_is_refused_by_name() {
    let many = vec!["a".to_owned(); MAX_PATTERNS + 1];
    let deep = format!("{}a{}", "{".repeat(9), "}".repeat(9));
    let nested = "{".repeat(1000);
    let long = "a".repeat(1025);
    let product = "{a,b,c}".repeat(6);
    let cases: [(&[&str], &str); 11] = [
        (&["a["], "bracket"),
        (&["a[b"], "bracket"),
        (&["a[\\"], "bracket"),
        (&["a[b-\\"], "bracket"),
        (&["{a,b"], "brace"),
        (&["a\\"], "backslash"),
        (&["[z-a]"], "range"),
        (&[deep.as_str()], "deeper"),
        (&[nested.as_str()], "deeper"),
        (&[long.as_str()], "bytes"),
        (&[product.as_str()], "alternatives"),
    ];
    for (patterns, named) in cases {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let error = Glob::new(&patterns).unwrap_err().to_string();
        assert!(error.contains(named), "{patterns:?}: {error}");
    }
    assert!(Glob::new(&many).is_err() && Glob::new(&[]).is_err());
}

/// Patterns that make a matcher exponential that goes back to every star.
#[test]
fn hostile_patterns_are_answered_in_time_that_grows_with_the_keyword() {
    let keyword = format!("{}/b", "a".repeat(60_000));
    for pattern in ["*a".repeat(300), "**/*a".repeat(150), format!("*{}b", "a".repeat(1000)), "*".repeat(1024)] {
        assert!(!glob(&[&pattern]).matches(&keyword), "{pattern}");
    }
    let parts = "a/".repeat(20_000);
    assert!(!glob(&[&"**/a/".repeat(200), "**/b"]).matches(&format!("{parts}c")));
    assert!(glob(&[&format!("{}**", "**/a/".repeat(200))]).matches(&parts));
}

/// The same answers as by trying everything, on every short keyword.
#[test]
fn going_back_to_the_last_star_alone_misses_nothing() {
    fn tries(pattern: &[char], text: &[char], begins: bool) -> bool {
        let slash = |c: Option<&char>| c.is_none_or(|c| *c == '/');
        match pattern {
            [] => text.is_empty(),
            ['*', '*', rest @ ..] if begins && slash(rest.first()) => {
                let skip = |at: &usize| *at == 0 || text[at - 1] == '/';
                match rest {
                    [] => true,
                    rest => (0..=text.len()).filter(skip).any(|at| tries(&rest[1..], &text[at..], true)),
                }
            }
            ['*', rest @ ..] => {
                let rest = if rest.first() == Some(&'*') { &rest[1..] } else { rest };
                (0..=text.len()).filter(|at| !text[..*at].contains(&'/')).any(|at| tries(rest, &text[at..], false))
            }
            ['?', rest @ ..] => text.first().is_some_and(|c| *c != '/') && tries(rest, &text[1..], false),
            [own, rest @ ..] => text.first() == Some(own) && tries(rest, &text[1..], *own == '/'),
        }
    }
    let words = |letters: &[char], length: u32| -> Vec<Vec<char>> {
        let count = letters.len();
        let word = |n: usize| (0..length).map(|at| letters[n / count.pow(at) % count]).collect();
        (0..count.pow(length)).map(word).collect()
    };
    let keywords: Vec<Vec<char>> = (0..6).flat_map(|length| words(&['a', 'b', '/'], length)).collect();
    for pattern in (1..6).flat_map(|length| words(&['a', '/', '*', '?'], length)) {
        let text: String = pattern.iter().collect();
        if text.contains("***") {
            continue;
        }
        let glob = glob(&[&text]);
        for keyword in &keywords {
            let expected = tries(&pattern, keyword, true);
            assert_eq!(glob.matches(&keyword.iter().collect::<String>()), expected, "{text:?} and {keyword:?}");
        }
    }
}
