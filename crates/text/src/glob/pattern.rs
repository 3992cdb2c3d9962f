//! One pattern without braces: how it is read, and how a keyword is compared with it.

use std::iter::Peekable;
use std::str::Chars;

use crate::{Error, Result};

/// Alternatives nest so deep at most.
const MAX_DEPTH: usize = 8;
/// The most that one pattern may be multiplied out to: patterns, and tokens of them together.
const MAX_ALTERNATIVES: usize = 256;
const MAX_TOKENS: usize = 1 << 16;

/// Something that is compared with a keyword from the left.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// This character.
    Char(char),
    /// A character other than `/`.
    Any,
    /// A character other than `/` that is in one of the ranges, or in none of them.
    Class { ranges: Vec<(char, char)>, negated: bool },
    /// So many stars in a row, before it is known what they mean.
    Stars(usize),
    /// Any number of characters other than `/`.
    Star,
    /// Any number of parts, each with the `/` after it.
    Parts,
    /// Anything.
    Rest,
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Any => c != '/',
            Self::Class { ranges, negated } => {
                c != '/' && ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated
            }
            Self::Stars(_) | Self::Star | Self::Parts | Self::Rest => false,
        }
    }
}

/// A pattern without braces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern(Vec<Token>);

/// Reads a pattern and multiplies its braces out.
pub(super) fn patterns(text: &str) -> Result<Vec<Pattern>> {
    let mut parser = Parser { text, rest: text.chars().peekable() };
    let alternatives = parser.sequence(0)?;
    Ok(alternatives.into_iter().map(Pattern::new).collect())
}

impl Pattern {
    /// Gives stars their meaning: two that are a whole part between slashes stand for parts.
    fn new(tokens: Vec<Token>) -> Self {
        let mut own: Vec<Token> = Vec::with_capacity(tokens.len());
        let mut tokens = tokens.into_iter().peekable();
        let slash = Token::Char('/');
        // A slash that belongs to parts is still what the next part begins after.
        let mut begins = true;
        while let Some(token) = tokens.next() {
            let (token, then) = match token {
                Token::Stars(2) if begins && tokens.peek().is_none() => (Token::Rest, false),
                Token::Stars(2) if begins && tokens.next_if_eq(&slash).is_some() => (Token::Parts, true),
                Token::Stars(_) => (Token::Star, false),
                other => {
                    let then = other == slash;
                    (other, then)
                }
            };
            begins = then;
            own.push(token);
        }
        Self(own)
    }

    /// The characters before the first token that may stand for others.
    pub fn beginning(&self) -> String {
        let literal = self.0.iter().map_while(|token| if let Token::Char(c) = token { Some(*c) } else { None });
        literal.collect()
    }

    /// Whether the pattern describes the whole of `text`.
    ///
    /// Going back to the last star is enough: what came before it matched as early as it can. A star does not cross a `/`, so once the
    /// pattern has taken one, no choice before it could lead elsewhere, but for how many parts came first.
    pub fn matches(&self, text: &str) -> bool {
        let (mut at, mut rest) = (0, text);
        let mut star: Option<(usize, &str)> = None;
        let mut parts: Option<(usize, &str)> = None;
        loop {
            match self.0.get(at) {
                Some(Token::Rest) => return true,
                None if rest.is_empty() => return true,
                None => {}
                Some(Token::Star) => {
                    at += 1;
                    star = Some((at, rest));
                    continue;
                }
                Some(Token::Parts) => {
                    at += 1;
                    (star, parts) = (None, Some((at, rest)));
                    continue;
                }
                Some(token) => {
                    let mut chars = rest.chars();
                    if let Some(c) = chars.next().filter(|c| token.takes(*c)) {
                        if c == '/' {
                            star = None;
                        }
                        (at, rest) = (at + 1, chars.as_str());
                        continue;
                    }
                }
            }
            if let Some((after, from)) = star
                && let Some(c) = from.chars().next().filter(|c| *c != '/')
            {
                (at, rest) = (after, &from[c.len_utf8()..]);
                star = Some((at, rest));
            } else if let Some((after, from)) = parts
                && let Some(slash) = from.find('/')
            {
                (at, rest) = (after, &from[slash + 1..]);
                (star, parts) = (None, Some((at, rest)));
            } else {
                return false;
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    /// What stands before the end, or within braces before the next `,` or `}`.
    fn sequence(&mut self, depth: usize) -> Result<Vec<Vec<Token>>> {
        let mut all = vec![Vec::new()];
        while let Some(c) = self.rest.next_if(|c| depth == 0 || !matches!(c, ',' | '}')) {
            let token = match c {
                '{' => {
                    let any = self.braces(depth)?;
                    all = self.times(&all, &any)?;
                    continue;
                }
                '?' => Token::Any,
                '*' => {
                    let mut count = 1;
                    while self.rest.next_if_eq(&'*').is_some() {
                        count += 1;
                    }
                    Token::Stars(count)
                }
                '[' => self.class()?,
                '\\' => Token::Char(self.rest.next().ok_or_else(|| self.refuse("ends in a backslash"))?),
                c => Token::Char(c),
            };
            for tokens in &mut all {
                tokens.push(token.clone());
            }
        }
        Ok(all)
    }

    fn braces(&mut self, depth: usize) -> Result<Vec<Vec<Token>>> {
        if depth == MAX_DEPTH {
            return Err(self.refuse(&format!("nests braces deeper than {MAX_DEPTH}")));
        }
        let mut any = Vec::new();
        loop {
            any.extend(self.sequence(depth + 1)?);
            match self.rest.next() {
                Some(',') => {}
                Some(_) => return Ok(any),
                None => return Err(self.refuse("has a brace that does not end")),
            }
        }
    }

    /// Each of the first followed by each of the second.
    fn times(&self, first: &[Vec<Token>], second: &[Vec<Token>]) -> Result<Vec<Vec<Token>>> {
        let tokens = |all: &[Vec<Token>]| all.iter().map(Vec::len).sum::<usize>();
        let together = tokens(first) * second.len() + tokens(second) * first.len();
        if first.len() * second.len() > MAX_ALTERNATIVES || together > MAX_TOKENS {
            return Err(self.refuse(&format!("has more than {MAX_ALTERNATIVES} alternatives")));
        }
        Ok(first.iter().flat_map(|a| second.iter().map(move |b| [a.as_slice(), b].concat())).collect())
    }

    fn class(&mut self) -> Result<Token> {
        let negated = self.rest.next_if(|c| matches!(c, '!' | '^')).is_some();
        let mut ranges = Vec::new();
        // A bracket that comes first is of the class.
        while ranges.is_empty() || self.rest.next_if_eq(&']').is_none() {
            let from = self.member()?;
            let mut ahead = self.rest.clone();
            let range = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
            let to = if range {
                self.rest.next();
                self.member()?
            } else {
                from
            };
            if to < from {
                return Err(self.refuse("has a range that ends before it begins"));
            }
            ranges.push((from, to));
        }
        Ok(Token::Class { ranges, negated })
    }

    fn member(&mut self) -> Result<char> {
        self.rest.next_if_eq(&'\\');
        self.rest.next().ok_or_else(|| self.refuse("has a bracket that does not end"))
    }

    fn refuse(&self, reason: &str) -> Error {
        let shown: String = self.text.chars().take(100).collect();
        Error::query("", format!("the pattern {shown:?} {reason}"))
    }
}
