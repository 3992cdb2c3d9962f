//! Vectors already paid for: found again as they were, never believed when they are not, and bounded.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cutover_index::EmbeddingCache;
use std::fs;
use std::path::{Path, PathBuf};

const BOUND: u64 = 1 << 30;

fn texts(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|n| format!("text {n}")).collect()
}

/// Vectors that follow from their texts.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    (0..dimensions).map(|at| text.bytes().map(f32::from).sum::<f32>() * 0.5 + at as f32 + text.len() as f32).collect()
}

fn keep(cache: &mut EmbeddingCache, texts: &[String], dimensions: usize) {
    cache.append(texts, &texts.iter().flat_map(|text| vector(text, dimensions)).collect::<Vec<_>>());
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn size(directory: &Path) -> u64 {
    files(directory).iter().map(|path| path.metadata().unwrap().len()).sum()
}

/// How many of the texts are known, each by its own vector.
fn known(cache: &mut EmbeddingCache, texts: &[String], dimensions: usize) -> usize {
    let found = cache.lookup(texts);
    assert_eq!(found.len(), texts.len());
    for (text, found) in texts.iter().zip(&found) {
        assert!(found.as_ref().is_none_or(|found| *found == vector(text, dimensions)), "a wrong vector for {text}");
    }
    found.iter().flatten().count()
}

struct Fixture {
    _parent: tempfile::TempDir,
    directory: PathBuf,
}

fn fixture() -> Fixture {
    let parent = tempfile::tempdir().unwrap();
    Fixture { directory: parent.path().join("embeddings"), _parent: parent }
}

#[test]
fn what_was_kept_is_found_again_at_once_and_after_opening_anew() {
    let fixture = fixture();
    let mut cache = EmbeddingCache::open(&fixture.directory, "m", 3, BOUND);
    assert_eq!(known(&mut cache, &texts(0..10), 3), 0);
    keep(&mut cache, &texts(0..100), 3);
    assert_eq!(known(&mut cache, &texts(50..150), 3), 50);
    keep(&mut cache, &texts(100..120), 3);
    let mut again = EmbeddingCache::open(&fixture.directory, "m", 3, BOUND);
    assert_eq!(known(&mut again, &texts(0..150), 3), 120);
    keep(&mut again, &texts(120..150), 3);
    assert_eq!(known(&mut again, &texts(0..150), 3), 150);
    assert_eq!(files(&fixture.directory).len(), 1, "a file with room is gone on with");
}

#[test]
fn another_model_and_other_dimensions_know_nothing_of_it() {
    let fixture = fixture();
    keep(&mut EmbeddingCache::open(&fixture.directory, "m", 3, BOUND), &texts(0..10), 3);
    for (model, dimensions) in [("n", 3), ("m", 4), ("m ", 3)] {
        let mut other = EmbeddingCache::open(&fixture.directory, model, dimensions, BOUND);
        assert_eq!(known(&mut other, &texts(0..10), dimensions), 0);
        keep(&mut other, &texts(0..5), dimensions);
        assert_eq!(known(&mut other, &texts(0..10), dimensions), 5);
    }
    assert_eq!(known(&mut EmbeddingCache::open(&fixture.directory, "m", 3, BOUND), &texts(0..10), 3), 10);
}

#[test]
fn a_changed_byte_anywhere_is_never_believed() {
    let fixture = fixture();
    keep(&mut EmbeddingCache::open(&fixture.directory, "m", 2, BOUND), &texts(0..4), 2);
    let path = files(&fixture.directory).remove(0);
    let sound = fs::read(&path).unwrap();
    for at in 0..sound.len() {
        for change in [1_u8, 0x80, 0xff] {
            let mut damaged = sound.clone();
            damaged[at] ^= change;
            fs::create_dir_all(&fixture.directory).unwrap();
            fs::write(&path, &damaged).unwrap();
            let found = known(&mut EmbeddingCache::open(&fixture.directory, "m", 2, BOUND), &texts(0..4), 2);
            assert_eq!(found, if at < 64 { 0 } else { 3 }, "byte {at}");
        }
    }
}

#[test]
fn a_torn_end_is_left_alone_and_what_comes_after_goes_elsewhere() {
    let fixture = fixture();
    keep(&mut EmbeddingCache::open(&fixture.directory, "m", 2, BOUND), &texts(0..4), 2);
    let path = files(&fixture.directory).remove(0);
    let sound = fs::read(&path).unwrap();
    for length in 0..sound.len() {
        fs::remove_dir_all(&fixture.directory).unwrap();
        fs::create_dir(&fixture.directory).unwrap();
        fs::write(&path, &sound[..length]).unwrap();
        let mut cache = EmbeddingCache::open(&fixture.directory, "m", 2, BOUND);
        let whole = length.saturating_sub(64) / 56;
        assert_eq!(known(&mut cache, &texts(0..4), 2), whole, "{length} bytes");
        keep(&mut cache, &texts(4..8), 2);
        drop(cache);
        let mut again = EmbeddingCache::open(&fixture.directory, "m", 2, BOUND);
        assert_eq!(known(&mut again, &texts(0..8), 2), whole + 4, "{length} bytes");
    }
}

#[test]
fn a_record_of_another_place_or_file_is_what_it_says_or_nothing() {
    let fixture = fixture();
    keep(&mut EmbeddingCache::open(&fixture.directory, "m", 2, BOUND), &texts(0..4), 2);
    keep(&mut EmbeddingCache::open(&fixture.directory, "n", 2, BOUND), &texts(2..6), 2);
    let [one, two] = files(&fixture.directory).try_into().unwrap();
    let (one_bytes, mut two_bytes) = (fs::read(&one).unwrap(), fs::read(&two).unwrap());
    // The records of one model under the head of the other.
    let body =
        if one_bytes.len() == two_bytes.len() { &one_bytes[64..] } else { unreachable!("both have four records") };
    two_bytes[64..].copy_from_slice(body);
    fs::write(&two, two_bytes).unwrap();
    for model in ["m", "n"] {
        let mut cache = EmbeddingCache::open(&fixture.directory, model, 2, BOUND);
        assert!(matches!(known(&mut cache, &texts(0..6), 2), 0 | 4));
    }
}

#[test]
fn the_oldest_files_go_and_what_is_used_stays() {
    let fixture = fixture();
    // 100 bytes a record.
    let (dimensions, bound) = (13, 100_000);
    let often = texts(0..10);
    keep(&mut EmbeddingCache::open(&fixture.directory, "m", dimensions, bound), &often, dimensions);
    for round in 1..60 {
        let mut cache = EmbeddingCache::open(&fixture.directory, "m", dimensions, bound);
        assert_eq!(known(&mut cache, &often, dimensions), often.len(), "round {round}");
        keep(&mut cache, &texts(round * 100..round * 100 + 50), dimensions);
        assert!(size(&fixture.directory) <= bound + 5_000 + 64, "round {round}: {}", size(&fixture.directory));
    }
    let mut cache = EmbeddingCache::open(&fixture.directory, "m", dimensions, bound);
    assert_eq!(known(&mut cache, &texts(100..150), dimensions), 0, "the oldest that nobody used are gone");
    assert_eq!(known(&mut cache, &texts(5900..5950), dimensions), 50);
    drop(cache);
    // A smaller bound holds from the next opening on.
    drop(EmbeddingCache::open(&fixture.directory, "m", dimensions, 10_000));
    assert!(size(&fixture.directory) <= 10_000);
}

#[test]
fn a_link_in_its_place_or_in_it_is_never_followed_and_what_is_not_its_own_stays() {
    let fixture = fixture();
    let elsewhere = fixture.directory.parent().unwrap().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &fixture.directory).unwrap();
    let mut cache = EmbeddingCache::open(&fixture.directory, "m", 2, BOUND);
    keep(&mut cache, &texts(0..4), 2);
    assert_eq!(known(&mut cache, &texts(0..4), 2), 0);
    assert!(files(&elsewhere).is_empty());

    fs::remove_file(&fixture.directory).unwrap();
    fs::write(&fixture.directory, "a file").unwrap();
    keep(&mut EmbeddingCache::open(&fixture.directory, "m", 2, BOUND), &texts(0..4), 2);
    assert_eq!(fs::read(&fixture.directory).unwrap(), b"a file");

    fs::remove_file(&fixture.directory).unwrap();
    keep(&mut EmbeddingCache::open(&fixture.directory, "m", 2, BOUND), &texts(0..4), 2);
    let name = files(&fixture.directory).remove(0);
    fs::rename(&name, elsewhere.join("kept")).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("kept"), &name).unwrap();
    fs::write(fixture.directory.join("mine.txt"), "mine").unwrap();
    fs::create_dir(fixture.directory.join("0000000009-00000000.vectors")).unwrap();
    let before = fs::read(elsewhere.join("kept")).unwrap();
    let mut cache = EmbeddingCache::open(&fixture.directory, "m", 2, 1);
    assert_eq!(known(&mut cache, &texts(0..4), 2), 0);
    keep(&mut cache, &texts(0..4), 2);
    assert_eq!(fs::read(elsewhere.join("kept")).unwrap(), before);
    assert_eq!(fs::read(fixture.directory.join("mine.txt")).unwrap(), b"mine");
    assert!(fixture.directory.join("0000000009-00000000.vectors").is_dir());
}

#[test]
fn no_bytes_no_parent_and_vectors_of_another_length_are_no_error() {
    let fixture = fixture();
    keep(&mut EmbeddingCache::open(&fixture.directory, "m", 2, 0), &texts(0..4), 2);
    assert!(!fixture.directory.exists());
    let nowhere = fixture.directory.join("deeper");
    let mut cache = EmbeddingCache::open(&nowhere, "m", 2, BOUND);
    keep(&mut cache, &texts(0..4), 2);
    assert_eq!(known(&mut cache, &texts(0..4), 2), 0);
    let mut cache = EmbeddingCache::open(&fixture.directory, "m", 2, BOUND);
    cache.append(&texts(0..2), &[1.0; 3]);
    assert_eq!(known(&mut cache, &texts(0..2), 2), 0);
}

#[test]
fn removing_the_directory_while_it_is_used_loses_vectors_and_nothing_else() {
    let fixture = fixture();
    let mut cache = EmbeddingCache::open(&fixture.directory, "m", 2, BOUND);
    keep(&mut cache, &texts(0..4), 2);
    fs::remove_dir_all(&fixture.directory).unwrap();
    assert_eq!(known(&mut cache, &texts(0..4), 2), 4, "what is open is still read");
    keep(&mut cache, &texts(4..8), 2);
    assert_eq!(known(&mut cache, &texts(4..8), 2), 0);
    let mut again = EmbeddingCache::open(&fixture.directory, "m", 2, BOUND);
    keep(&mut again, &texts(4..8), 2);
    assert_eq!(known(&mut again, &texts(0..8), 2), 4);
}
