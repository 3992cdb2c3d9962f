//! Texts as JSON strings, read and written: what costs most of taking documents that are mostly text, so both go eight bytes at a time.

use std::borrow::Cow;

/// A one in each byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = ONES << 7;
/// Bytes of a text that are escaped at a time.
const PIECE: usize = 1024;
/// Bytes of the longest escape of one byte: `\u001f`.
const LONGEST_ESCAPE: usize = 6;

/// The text of a JSON string, borrowed where it has no escapes. None when `json`, which must be a JSON value, is no string, or one that
/// no text is: half of a surrogate pair.
pub(crate) fn unescape(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.as_bytes().contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    match plain(inner.as_bytes()) {
        Some(text) => String::from_utf8(text).ok().map(Cow::Owned),
        None => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

/// The text of a string whose escapes stand for one byte each; none when others are in it.
fn plain(json: &[u8]) -> Option<Vec<u8>> {
    let mut text = vec![0; json.len()];
    let (mut from, mut to) = (0, 0);
    while let Some(eight) = json[from..].first_chunk::<8>() {
        // What is behind a backslash is written over. There is room: no escape is shorter than what it stands for.
        *text[to..].first_chunk_mut::<8>()? = *eight;
        let backslashes = equal(u64::from_le_bytes(*eight), b'\\');
        if backslashes == 0 {
            (from, to) = (from + 8, to + 8);
        } else {
            let before = backslashes.trailing_zeros() as usize / 8;
            text[to + before] = escaped(*json.get(from + before + 1)?)?;
            (from, to) = (from + before + 2, to + before + 1);
        }
    }
    while let Some(byte) = json.get(from) {
        let (byte, length) = if *byte == b'\\' { (escaped(*json.get(from + 1)?)?, 2) } else { (*byte, 1) };
        text[to] = byte;
        (from, to) = (from + length, to + 1);
    }
    text.truncate(to);
    Some(text)
}

/// What a backslash and this letter stand for, if that is one byte.
fn escaped(letter: u8) -> Option<u8> {
    Some(match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'"' | b'\\' | b'/' => letter,
        b'b' => 0x08,
        b'f' => 0x0c,
        _ => return None,
    })
}

/// The high bit of the lowest byte that is `byte`, and perhaps of some above it; zero when none is.
fn equal(eight: u64, byte: u8) -> u64 {
    let others = eight ^ (ONES * u64::from(byte));
    others.wrapping_sub(ONES) & !others & HIGH
}

/// Appends a text as a JSON string, with the escapes that JavaScript and `serde_json` write.
pub(crate) fn put_string(json: &mut Vec<u8>, text: &str) {
    // Eight more, since eight are copied at a time.
    let mut escaped = [0; PIECE * LONGEST_ESCAPE + 8];
    json.push(b'"');
    for piece in text.as_bytes().chunks(PIECE) {
        let length = escape(piece, &mut escaped);
        json.extend_from_slice(&escaped[..length]);
    }
    json.push(b'"');
}

/// Writes the bytes of a text with escapes; how many that makes. There must be room for eight more.
fn escape(text: &[u8], json: &mut [u8]) -> usize {
    let (mut from, mut to) = (0, 0);
    while let Some(eight) = text[from..].first_chunk::<8>() {
        json[to..to + 8].copy_from_slice(eight);
        let eight = u64::from_le_bytes(*eight);
        let control = eight.wrapping_sub(ONES * 0x20) & !eight & HIGH;
        // The lowest byte that is marked needs an escape; a higher one may be marked in vain.
        let marked = control | equal(eight, b'"') | equal(eight, b'\\');
        let plain = marked.trailing_zeros() as usize / 8;
        (from, to) = (from + plain, to + plain);
        if plain < 8 {
            to += put_escape(text[from], &mut json[to..]);
            from += 1;
        }
    }
    for byte in &text[from..] {
        if needs_escape(*byte) {
            to += put_escape(*byte, &mut json[to..]);
        } else {
            json[to] = *byte;
            to += 1;
        }
    }
    to
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Writes the escape of a byte that needs one; how long it is.
fn put_escape(byte: u8, json: &mut [u8]) -> usize {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\t' => b't',
        b'\r' => b'r',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digit = |number: u8| if number < 10 { b'0' + number } else { b'a' + number - 10 };
            json[..LONGEST_ESCAPE].copy_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return LONGEST_ESCAPE;
        }
    };
    json[..2].copy_from_slice(&[b'\\', letter]);
    2
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    /// As `serde_json` reads it, of whatever it takes for a value.
    fn check(json: &str) {
        let Ok(value) = serde_json::from_str::<&RawValue>(json) else { return };
        let expected: Option<String> = serde_json::from_str(value.get()).ok();
        assert_eq!(unescape(value.get()).as_deref(), expected.as_deref(), "{json}");
    }

    #[test]
    fn strings_of_every_length_with_an_escape_anywhere() {
        for length in 0..40 {
            for at in 0..=length {
                for escape in
                    ["\\n", "\\\"", "\\\\", "\\u0041", "\\ud83d\\ude00", "\\ud83d", "\\/\\b\\f\\r\\t", "é\\n東"]
                {
                    check(&format!("\"{}{escape}{}\"", "]".repeat(at), "[".repeat(length - at)));
                }
            }
        }
    }

    #[test]
    fn what_is_no_string_is_none() {
        for json in ["1", "null", "true", "[\"a\"]", "{\"a\":\"b\"}", "\"\\ud800\""] {
            check(json);
            assert_eq!(unescape(json), None);
        }
    }

    /// As `serde_json` writes it.
    fn check_written(text: &str) {
        let mut json = b"before".to_vec();
        put_string(&mut json, text);
        assert_eq!(String::from_utf8(json).unwrap(), format!("before{}", serde_json::to_string(text).unwrap()));
    }

    #[test]
    fn every_byte_is_written_at_every_place() {
        for byte in 0..0x80_u8 {
            for at in 0..17 {
                check_written(&format!("{}{}{}é\u{7f}", "x".repeat(at), char::from(byte), "東".repeat(17 - at)));
                check_written(&format!("{}{}", "\u{ffff}".repeat(at), char::from(byte).to_string().repeat(at)));
            }
        }
    }

    #[test]
    fn texts_longer_than_a_piece_are_written() {
        for length in [PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            check_written(&"\u{1}".repeat(length));
            check_written(&format!("{}\n{}", "é".repeat(length), "\"\\".repeat(length)));
        }
    }

    proptest! {
        #[test]
        fn any_string(text in "[\\PC\n\"\\\\\t\u{1}/]{0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescape(&json).unwrap(), text.as_str());
            check_written(&text);
        }

        #[test]
        fn any_value(json in "\"([a-z\\]\\[é東 ]|\\\\[nrtbfu\"/\\\\0-9a-d]|\\\\u[0-9a-fA-F]{4}){0,30}\"") {
            check(&json);
        }
    }
}
