//! The container format: what was written is read back, and no file, however hostile, does more than give a typed error.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs::OpenOptions, io::Write, os::unix::fs::FileExt, path::Path};

use cutover_durable::{
    Error, Map, fs,
    sections::{Align, SectionWriter, Sections},
};

const MAGIC: [u8; 8] = *b"CUTOTEST";

fn write(path: &Path) {
    let mut params = [0; 48];
    params[..4].copy_from_slice(&7_u32.to_le_bytes());
    let mut writer = SectionWriter::new(fs::create(path).unwrap(), MAGIC, 1, params).unwrap();
    writer.begin("numbers", Align::Line).unwrap();
    for number in 0..100_u32 {
        writer.write_all(&number.to_le_bytes()).unwrap();
    }
    writer.begin("empty", Align::Line).unwrap();
    writer.begin("page", Align::Page).unwrap();
    writer.write_all(&[9; 5]).unwrap();
    assert_eq!(writer.position(), 5);
    let written = writer.finish().unwrap();
    assert_eq!((written.bytes, written.digest), cutover_durable::digest_file(path).unwrap());
}

fn open(bytes: &[u8], directory: &Path) -> Result<Sections, Error> {
    let path = directory.join("mutant");
    std::fs::write(&path, bytes).unwrap();
    Sections::open(Map::open(&path)?, MAGIC, 1)
}

fn sample() -> (tempfile::TempDir, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sections");
    write(&path);
    let bytes = std::fs::read(path).unwrap();
    (directory, bytes)
}

fn refusal(bytes: &[u8], directory: &Path) -> String {
    match open(bytes, directory).unwrap_err() {
        Error::Malformed { detail, .. } => detail,
        other => other.to_string(),
    }
}

#[test]
fn sections_come_back_as_written_and_aligned() {
    let (directory, bytes) = sample();
    let sections = open(&bytes, directory.path()).unwrap();
    assert_eq!(sections.names().collect::<Vec<_>>(), ["numbers", "empty", "page"]);
    assert_eq!(sections.params()[0], 7);
    assert_eq!(sections.format(), 1);
    assert_eq!(sections.section("numbers").unwrap().cast::<u32>().unwrap(), (0..100).collect::<Vec<_>>());
    assert!(sections.section("empty").unwrap().bytes().is_empty());
    let page = sections.section("page").unwrap();
    assert_eq!(page.bytes(), [9; 5]);
    assert_eq!(page.bytes().as_ptr() as usize % 4096, 0);
    assert!(page.cast::<u32>().unwrap_err().to_string().contains("\"page\""));
    assert!(sections.optional("absent").is_none());
    assert!(sections.section("absent").unwrap_err().to_string().contains("\"absent\""));
}

#[test]
fn a_section_outlives_the_container_and_its_file_name() {
    let (directory, bytes) = sample();
    let section = open(&bytes, directory.path()).unwrap().section("page").unwrap();
    drop(directory);
    assert_eq!(section.slice().to_vec(), [9; 5]);
}

#[test]
fn writing_refuses_names_that_reading_would_refuse_and_bytes_outside_a_section() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = SectionWriter::new(fs::create(&directory.path().join("f")).unwrap(), MAGIC, 1, [0; 48]).unwrap();
    assert!(writer.write_all(b"x").is_err());
    for name in ["", "a name", "näme", "a-name-of-twenty-five-byte"] {
        assert!(matches!(writer.begin(name, Align::Line), Err(Error::Malformed { .. })), "{name:?}");
    }
    writer.begin("a-name-of-twenty-four-byt", Align::Line).unwrap_err();
    writer.begin("twenty-four-bytes-name..", Align::Line).unwrap();
    assert!(matches!(writer.begin("twenty-four-bytes-name..", Align::Line), Err(Error::Malformed { .. })));
}

#[test]
fn every_truncation_is_refused() {
    let (directory, bytes) = sample();
    let path = directory.path().join("mutant");
    std::fs::write(&path, &bytes).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    for length in (0..bytes.len()).rev() {
        file.set_len(length as u64).unwrap();
        let opened = Sections::open(Map::open(&path).unwrap(), MAGIC, 1);
        assert!(matches!(opened, Err(Error::Malformed { .. })), "{length} bytes");
    }
}

#[test]
fn a_newer_format_is_refused_by_its_number_and_another_kind_by_its_magic() {
    let (directory, mut bytes) = sample();
    bytes[8] = 2;
    assert!(matches!(open(&bytes, directory.path()), Err(Error::FormatTooNew { found: 2, supported: 1, .. })));
    bytes[8] = 1;
    bytes[0] = b'X';
    assert!(refusal(&bytes, directory.path()).contains("does not begin with"));
}

#[test]
fn damaged_tables_are_refused_with_what_is_wrong() {
    let (directory, bytes) = sample();
    let footer = bytes.len() - 32;
    let table = footer - 3 * 40;
    let with = |offset: usize, value: u64| {
        let mut bytes = bytes.clone();
        bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        refusal(&bytes, directory.path())
    };
    for (offset, value, expected) in [
        (footer, 0, "its table is not within it"),
        (footer, u64::MAX, "its table is not within it"),
        (footer, table as u64 + 1, "its table is not within it"),
        (footer + 8, 1 << 32 | 0xffff_fff0, "does not fill"),
        (footer + 8, 1 << 32 | 2, "does not fill"),
        (footer + 8, 2 << 32 | 3, "different formats"),
        (footer + 16, 12, "bytes long and says 12"),
        (footer + 24, 0, "cut short"),
        (table + 24, 65, "\"numbers\" is not aligned"),
        (table + 24, 0, "\"numbers\" overlaps"),
        (table + 32, 1 << 40, "\"numbers\" reaches beyond"),
        (table + 32, u64::MAX - 64, "\"numbers\" reaches beyond"),
        (table + 32, 513, "\"empty\" overlaps"),
        (table, 0, "name is damaged"),
        (table + 40, 0x0073_7265_626d_756e, "two sections \"numbers\""),
    ] {
        let refusal = with(offset, value);
        assert!(refusal.contains(expected), "{offset}: {refusal}");
    }
}

/// A damaged file opens with sections that lie within it, or does not open; it never panics or reads outside.
#[test]
fn random_damage_gives_sections_within_the_file_or_a_typed_error() {
    let (directory, bytes) = sample();
    let path = directory.path().join("mutant");
    std::fs::write(&path, &bytes).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let interesting = (0..64).chain(bytes.len() - 152..bytes.len()).collect::<Vec<_>>();
    let (mut opened, mut refused) = (0, 0);
    for _ in 0..5_000 {
        let damaged = (0..=random(3)).map(|_| interesting[random(interesting.len())]).collect::<Vec<_>>();
        for at in &damaged {
            file.write_all_at(&[random(256) as u8], *at as u64).unwrap();
        }
        match Sections::open(Map::open(&path).unwrap(), MAGIC, 1) {
            Ok(sections) => {
                let total: usize = sections.names().map(|name| sections.section(name).unwrap().bytes().len()).sum();
                assert!(total <= bytes.len());
                opened += 1;
            }
            Err(Error::Malformed { .. } | Error::FormatTooNew { .. }) => refused += 1,
            Err(other) => unreachable!("{other}"),
        }
        for at in &damaged {
            file.write_all_at(&bytes[*at..=*at], *at as u64).unwrap();
        }
    }
    assert!(opened > 100 && refused > 100, "{opened} opened, {refused} refused");
}
