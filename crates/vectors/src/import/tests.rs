#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use proptest::prelude::*;

use super::Hnswlib;
use crate::error::Error;

const FIXTURES: [&str; 3] = ["python-0.8.0-l2.bin", "python-0.8.0-cosine.bin", "node-3.0.0-cosine.bin"];

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hnswlib").join(name)).unwrap()
}

fn parse(bytes: Vec<u8>) -> Result<Hnswlib<Vec<u8>>, String> {
    Hnswlib::parse(bytes, &|| false).map_err(|error| {
        assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
        error.to_string()
    })
}

fn vector(file: &Hnswlib<Vec<u8>>, row: u32) -> Vec<f32> {
    let mut vector = Vec::new();
    file.vector(row, &mut vector);
    vector
}

/// What every reader of a parsed file relies on.
fn holds_together(file: &Hnswlib<Vec<u8>>) {
    let mut labels = Vec::new();
    for row in 0..file.len() as u32 {
        labels.push(file.label(row));
        assert_eq!(vector(file, row).len(), file.dimensions());
        assert!(file.links(row, file.level(row) + 1).next().is_none());
        for level in 0..=file.level(row) {
            let links = file.links(row, level);
            assert!(links.len() <= file.m() * if level == 0 { 2 } else { 1 });
            for link in links {
                assert!((link as usize) < file.len() && file.level(link) >= level);
            }
        }
    }
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), file.len());
    assert!(file.is_empty() || (0..file.len() as u32).all(|row| file.level(row) <= file.level(file.entry())));
    assert_eq!((0..file.len() as u32).filter(|&row| file.is_deleted(row)).count(), file.deleted());
}

#[test]
fn a_file_of_pythons_hnswlib_is_read_field_by_field() {
    let file = parse(fixture(FIXTURES[0])).unwrap();
    assert_eq!((file.len(), file.dimensions(), file.m(), file.ef_construction()), (60, 3, 4, 40));
    assert_eq!((0..60).map(|row| file.label(row)).collect::<Vec<_>>(), (0..60).map(|n| 3 * n + 5).collect::<Vec<_>>());
    let deleted: Vec<u64> = (0..60).filter(|&row| file.is_deleted(row)).map(|row| file.label(row)).collect();
    assert_eq!(deleted, [5, 8, 29, 122]);
    assert_eq!(vector(&file, 0), [0.001_230_153_4, 0.298_745_54, -0.274_137_85]);
    assert_eq!(vector(&file, 59), [-0.507_104_7, 0.291_680_37, -0.033_790_436]);
    assert_eq!((file.entry(), file.level(file.entry())), (1, 2));
    assert_eq!(file.links(0, 0).collect::<Vec<_>>(), [4, 12, 27, 30, 56]);
    holds_together(&file);
}

#[test]
fn a_file_of_hnswlib_node_is_read() {
    let file = parse(fixture(FIXTURES[2])).unwrap();
    assert_eq!((file.len(), file.dimensions(), file.m(), file.ef_construction(), file.deleted()), (40, 4, 6, 50, 2));
    assert!(file.is_deleted(7) && file.is_deleted(30));
    let length: f32 = vector(&file, 11).iter().map(|x| x * x).sum();
    assert!((length - 1.0).abs() < 1e-5, "hnswlib-node keeps unit vectors for cosine, {length}");
    holds_together(&file);
}

#[test]
fn an_index_without_elements_is_read() {
    let mut bytes = fixture(FIXTURES[0])[..96].to_vec();
    bytes[16] = 0;
    bytes[48..56].fill(0xff);
    let file = parse(bytes).unwrap();
    assert!(file.is_empty());
    holds_together(&file);
}

#[test]
fn each_lie_is_named() {
    // A byte, what it becomes, and what is said. Element 0 is at 96; its label at 96 + 48; lists follow at 96 + 60 * 56.
    let lies: [(usize, u8, &str); 24] = [
        (0, 1, "begin at 1 instead of 0"),
        (8, 59, "60 elements and room for 59"),
        (16, 59, "bytes of upper lists"),
        (16, 79, "cannot hold 79 elements of 56"),
        (20, 1, "room for 80"),
        (24, 57, "57 bytes, and their labels end at 56"),
        (32, 37, "bytes 36 to 37 of an element, which is not"),
        (32, 36, "bytes 36 to 36 of an element, which is not"),
        (35, 1, "1 to 4096"),
        (40, 40, "begin at 40 of an element, and 8 links end at 36"),
        (48, 3, "not on its highest level 3"),
        (48, 33, "highest level is 33"),
        (51, 0x80, "highest level is -2147483646"),
        (52, 60, "entry point 60"),
        (56, 5, "M 4, maxM 5, maxM0 8"),
        (64, 9, "M 4, maxM 4, maxM0 9"),
        (72, 5, "M 5, maxM 4"),
        (87, 0xbf, "level multiplier is -"),
        (96, 9, "element 0 has 9 links where there is room for 8 on level 0"),
        (98, 3, "element 0 has bytes set that mean nothing in its list on level 0"),
        (99, 1, "element 0 has bytes set that mean nothing"),
        (100, 60, "element 0 links to 60, which is no element there, on level 0"),
        (144, 8, "two elements have the label 8"),
        (96 + 60 * 56, 21, "21 bytes of upper lists"),
    ];
    for (at, byte, said) in lies {
        let mut bytes = fixture(FIXTURES[0]);
        bytes[at] = byte;
        let error = parse(bytes).err().unwrap_or_default();
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[test]
fn a_link_above_level_0_to_an_element_below_is_named() {
    let good = fixture(FIXTURES[0]);
    // Element 1 is the entry point: behind the length of element 0's lists and its own come count and links of level 1.
    let list = 96 + 60 * 56 + 8;
    let low = parse(good.clone()).unwrap();
    let low = (0..60).find(|&row| low.level(row) == 0).unwrap();
    let mut bytes = good;
    bytes[list + 4..list + 8].copy_from_slice(&low.to_le_bytes());
    let error = parse(bytes).err().unwrap();
    assert!(error.contains(&format!("element 1 links to {low}, which is no element there, on level 1")), "{error}");
}

#[test]
fn every_cut_and_every_longer_file_is_refused() {
    for name in FIXTURES {
        let good = fixture(name);
        for length in 0..good.len() {
            assert!(parse(good[..length].to_vec()).is_err(), "{name} of {length} bytes");
        }
        assert!(parse([good, vec![0]].concat()).is_err());
    }
}

#[test]
fn it_can_be_cancelled() {
    assert!(matches!(Hnswlib::parse(fixture(FIXTURES[0]), &|| true), Err(Error::Cancelled)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Words of the file, most of them of its header and of counts, become others.
    #[test]
    fn what_parses_holds_together(
        name in 0..FIXTURES.len(),
        words in prop::collection::vec((prop_oneof![0..24_usize, 0..840_usize], prop_oneof![0..100_u32, any::<u32>()]), 1..4),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 0..3),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut bytes = fixture(FIXTURES[name]);
        for (at, word) in words {
            if let Some(place) = bytes.get_mut(4 * at..4 * at + 4) {
                place.copy_from_slice(&word.to_le_bytes());
            }
        }
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(file) = parse(bytes) {
            holds_together(&file);
        }
    }
}
