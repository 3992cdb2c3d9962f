//! The text of a JSON string: what costs most of reading documents that are mostly text, so it is read eight bytes at a time.

use std::borrow::Cow;

/// A one in each byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);

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
        let others = u64::from_le_bytes(*eight) ^ (ONES * u64::from(b'\\'));
        // The lowest byte that is marked was zero; a higher one may be marked in vain.
        let backslashes = others.wrapping_sub(ONES) & !others & (ONES << 7);
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

    proptest! {
        #[test]
        fn any_string(text in "[\\PC\n\"\\\\\t\u{1}/]{0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescape(&json).unwrap(), text);
        }

        #[test]
        fn any_value(json in "\"([a-z\\]\\[é東 ]|\\\\[nrtbfu\"/\\\\0-9a-d]|\\\\u[0-9a-fA-F]{4}){0,30}\"") {
            check(&json);
        }
    }
}
