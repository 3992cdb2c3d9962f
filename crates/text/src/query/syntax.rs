//! The query language: words, "phrases", AND, OR, NOT, parentheses, `field:`, `word*`, `word~`, `"phrase"~2`, `word^2`.
//!
//! ```text
//! query   = clause { [ "AND" | "OR" ] clause }      AND binds closer than OR; neighbours without either are joined by the operator
//! clause  = "NOT" clause | field ":" clause | "(" query ")" | phrase [ "~" slop ] [ "^" boost ] | word [ "*" ] [ "~" [ 1 | 2 ] ] [ "^" boost ]
//! ```
//!
//! A backslash takes away the meaning of the character behind it. The parser goes over the text once, and nests [`MAX_DEPTH`] deep at
//! most, so no text can keep it busy or exhaust its stack.

use std::iter::Peekable;
use std::str::Chars;

use super::{Fuzzy, MAX_BOOST, Operator};
use crate::{Error, Result};

/// How deep clauses may stand in one another.
const MAX_DEPTH: usize = 64;
/// The most words and phrases of a query.
const MAX_CLAUSES: usize = 1024;
/// The longest text, in bytes.
const MAX_TEXT: usize = 1 << 16;
/// The most that a phrase's words may be moved.
const MAX_SLOP: u32 = 1000;

/// A part of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Clause {
    Any(Vec<Clause>),
    All(Vec<Clause>),
    Not(Box<Clause>),
    /// In one field only; `at` is where it is named.
    Within {
        field: String,
        at: usize,
        clause: Box<Clause>,
    },
    /// A word, which a field may cut into several; `open` when it is only the beginning of one.
    Words {
        text: String,
        open: bool,
        fuzzy: Option<Fuzzy>,
        boost: f64,
    },
    Phrase {
        text: String,
        slop: Option<u32>,
        boost: f64,
    },
}

/// Reads a query.
///
/// # Errors
/// [`Error::Syntax`], with the place.
pub(super) fn parse(text: &str, operator: Operator) -> Result<Clause> {
    let mut parser = Parser { rest: text.chars().peekable(), at: 0, operator, clauses: 0 };
    if text.len() > MAX_TEXT {
        return Err(parser.fault(format!("it has more than {MAX_TEXT} bytes")));
    }
    let clause = parser.query(0)?;
    match parser.peek() {
        None => Ok(clause),
        Some(_) => Err(parser.fault("there is nothing that this parenthesis closes")),
    }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    /// Characters read.
    at: usize,
    operator: Operator,
    clauses: usize,
}

impl Parser<'_> {
    fn fault(&self, reason: impl Into<String>) -> Error {
        Error::Syntax { position: self.at, reason: reason.into() }
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.at += usize::from(next.is_some());
        next
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// A query, up to the end or to a closing parenthesis; an empty one matches nothing.
    fn query(&mut self, depth: usize) -> Result<Clause> {
        let (mut any, mut all) = (Vec::new(), Vec::new());
        loop {
            self.spaces();
            if matches!(self.peek(), None | Some(')')) {
                break;
            }
            let joined = match self.keyword() {
                Some(joined @ ("AND" | "OR")) if all.is_empty() => {
                    return Err(self.fault(format!("{joined} has nothing before it")));
                }
                Some("AND") => Operator::And,
                Some("OR") => Operator::Or,
                _ => self.operator,
            };
            self.skip_keyword(&["AND", "OR"]);
            self.spaces();
            let clause = self.clause(depth)?;
            if joined == Operator::Or && !all.is_empty() {
                any.push(one_or(std::mem::take(&mut all), Clause::All));
            }
            all.push(clause);
        }
        if !all.is_empty() {
            any.push(one_or(all, Clause::All));
        }
        Ok(one_or(any, Clause::Any))
    }

    /// The operator that is next, if one is.
    fn keyword(&self) -> Option<&'static str> {
        let ahead: String = self.rest.clone().take(4).collect();
        ["AND", "OR", "NOT"].into_iter().find(|word| {
            ahead
                .strip_prefix(word)
                .is_some_and(|rest| !rest.chars().next().is_some_and(|next| next.is_alphanumeric() || next == ':'))
        })
    }

    fn skip_keyword(&mut self, words: &[&str]) -> bool {
        let found = self.keyword().filter(|word| words.contains(word));
        for _ in 0..found.map_or(0, str::len) {
            self.next();
        }
        found.is_some()
    }

    fn clause(&mut self, depth: usize) -> Result<Clause> {
        if depth == MAX_DEPTH {
            return Err(self.fault(format!("it is nested more than {MAX_DEPTH} deep")));
        }
        self.spaces();
        if self.skip_keyword(&["NOT"]) {
            return Ok(Clause::Not(Box::new(self.clause(depth + 1)?)));
        }
        if self.keyword().is_some() {
            return Err(self.fault("a word, a phrase or a parenthesis is missing here"));
        }
        match self.peek() {
            None | Some(')') => Err(self.fault("a word, a phrase or a parenthesis is missing here")),
            Some('(') => {
                self.next();
                let clause = self.query(depth + 1)?;
                if self.eat(')') { Ok(clause) } else { Err(self.fault("a parenthesis is not closed")) }
            }
            Some('"') => self.phrase(),
            Some(other @ (':' | '^' | '~' | '*')) => Err(self.fault(format!("there is nothing before this {other:?}"))),
            Some(_) => self.word(depth),
        }
    }

    fn counted(&mut self) -> Result<()> {
        self.clauses += 1;
        if self.clauses > MAX_CLAUSES {
            return Err(self.fault(format!("it has more than {MAX_CLAUSES} words and phrases")));
        }
        Ok(())
    }

    fn phrase(&mut self) -> Result<Clause> {
        self.counted()?;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => break,
                Some('\\') => text.extend(self.next()),
                Some(other) => text.push(other),
                None => return Err(self.fault("a phrase is not closed")),
            }
        }
        let slop = if self.eat('~') { Some(self.slop()?) } else { None };
        Ok(Clause::Phrase { text, slop, boost: self.boost()? })
    }

    fn word(&mut self, depth: usize) -> Result<Clause> {
        let (at, mut text) = (self.at, String::new());
        while let Some(next) = self.peek().filter(|next| !next.is_whitespace() && !"()\":^~*".contains(*next)) {
            self.next();
            if next == '\\' { text.extend(self.next()) } else { text.push(next) }
        }
        if self.eat(':') {
            return Ok(Clause::Within { field: text, at, clause: Box::new(self.clause(depth + 1)?) });
        }
        self.counted()?;
        let open = self.eat('*');
        let fuzzy = if self.eat('~') { Some(self.fuzzy()?) } else { None };
        if open && fuzzy.is_some() {
            return Err(self.fault("a beginning cannot be fuzzy"));
        }
        Ok(Clause::Words { text, open, fuzzy, boost: self.boost()? })
    }

    fn number(&mut self) -> String {
        let mut number = String::new();
        while let Some(next) = self.peek().filter(|next| (next.is_ascii_digit() || *next == '.') && number.len() < 20) {
            self.next();
            number.push(next);
        }
        number
    }

    fn fuzzy(&mut self) -> Result<Fuzzy> {
        match self.number().as_str() {
            "" => Ok(Fuzzy::Auto),
            "0" => Ok(Fuzzy::Exact),
            "1" => Ok(Fuzzy::One),
            "2" => Ok(Fuzzy::Two),
            other => Err(self.fault(format!("a word differs by 0, 1 or 2 letters, not {other}"))),
        }
    }

    fn slop(&mut self) -> Result<u32> {
        let number = self.number();
        let slop = number.parse().ok().filter(|slop| *slop <= MAX_SLOP);
        slop.ok_or_else(|| self.fault(format!("a phrase's words are moved by 0 to {MAX_SLOP}, not {number:?}")))
    }

    fn boost(&mut self) -> Result<f64> {
        if !self.eat('^') {
            return Ok(1.0);
        }
        let number = self.number();
        let boost = number.parse().ok().filter(|boost| (0.0..=f64::from(MAX_BOOST)).contains(boost));
        boost.ok_or_else(|| self.fault(format!("a boost is from 0 to {MAX_BOOST}, not {number:?}")))
    }
}

fn one_or(mut clauses: Vec<Clause>, several: impl FnOnce(Vec<Clause>) -> Clause) -> Clause {
    if clauses.len() == 1 { clauses.remove(0) } else { several(clauses) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
    use super::*;

    /// Clauses with parentheses around everything, as they were understood.
    fn told(clause: &Clause) -> String {
        let joined = |clauses: &[Clause], with: &str| clauses.iter().map(told).collect::<Vec<_>>().join(with);
        match clause {
            Clause::Any(clauses) => format!("({})", joined(clauses, " | ")),
            Clause::All(clauses) => format!("({})", joined(clauses, " & ")),
            Clause::Not(clause) => format!("!{}", told(clause)),
            Clause::Within { field, clause, .. } => format!("{field}:{}", told(clause)),
            Clause::Words { text, open, fuzzy, boost } => {
                format!("{text}{}{fuzzy:?}^{boost}", if *open { "*" } else { "" })
                    .replace("None^1", "")
                    .replace("Some", "~")
            }
            Clause::Phrase { text, slop, boost } => format!("[{text}]{slop:?}^{boost}").replace("None^1", ""),
        }
    }

    #[test]
    fn operators_bind_as_they_are_documented() {
        for (text, operator, expected) in [
            ("a b", Operator::Or, "(a | b)"),
            ("a b", Operator::And, "(a & b)"),
            ("a AND b c", Operator::Or, "((a & b) | c)"),
            ("a OR b AND c", Operator::Or, "(a | (b & c))"),
            ("a OR b c", Operator::And, "(a | (b & c))"),
            ("a NOT b", Operator::And, "(a & !b)"),
            ("(a OR b) AND NOT c", Operator::Or, "((a | b) & !c)"),
            ("title:(a b) c", Operator::Or, "(title:(a | b) | c)"),
            ("\"a b\"~3^2 c*", Operator::Or, "([a b]Some(3)^2 | c*)"),
            ("word~ other~1^0.5", Operator::Or, "(word~(Auto)^1 | other~(One)^0.5)"),
            ("ANDROID NOTE ORB", Operator::Or, "(ANDROID | NOTE | ORB)"),
            (r"a\:b \(c", Operator::Or, "(a:b | (c)"),
            ("", Operator::Or, "()"),
            ("()", Operator::Or, "()"),
        ] {
            assert_eq!(told(&parse(text, operator).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        let deep = "(".repeat(100);
        let long = "a ".repeat(1025);
        for (text, place) in [
            ("a AND", 5),
            ("AND a", 0),
            ("a OR OR b", 5),
            ("(a", 2),
            ("a)", 1),
            ("\"a", 2),
            ("a^", 2),
            ("a^x", 2),
            ("a~3", 3),
            ("\"a\"~", 4),
            ("*", 0),
            ("title:", 6),
            ("a*~1", 4),
            ("NOT", 3),
            (&deep, 64),
            (&long, 2049),
        ] {
            let Err(Error::Syntax { position, .. }) = parse(text, Operator::Or) else { panic!("{text} was read") };
            assert_eq!(position, place, "{text}");
        }
    }
}
