//! Where two names cannot be exchanged: directories are refused by name, or replaced across a gap that the caller accepts.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::{
    fs::{create_dir, read_to_string, write},
    path::Path,
};

use common::{apart::disguised, names};
use cutover_durable::{
    Error,
    swap::{Gap, replace_with},
};
use cutover_store::{InPlace, LockWait, Swap};

/// `EINVAL`: what file systems answer to flags that they do not know.
const EINVAL: &str = "22";

/// Runs `body` in a directory with an `old` and a `new` directory, and an `old.file` and a `new.file`.
fn without_exchange(name: &str, body: impl FnOnce(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    for name in ["old", "new"] {
        create_dir(directory.path().join(name)).unwrap();
        write(directory.path().join(name).join("file"), name).unwrap();
        write(directory.path().join(name).with_extension("file"), name).unwrap();
    }
    disguised(name, "CUTOVER_EXCHANGE_ERRNO", EINVAL, directory.path(), body);
}

#[test]
fn a_directory_is_refused_by_name_and_nothing_changes_and_a_file_needs_no_exchange() {
    let name = "a_directory_is_refused_by_name_and_nothing_changes_and_a_file_needs_no_exchange";
    without_exchange(name, |base| {
        let (old, new) = (base.join("old"), base.join("new"));
        match replace_with(&old, &new, Gap::Refuse) {
            Err(error @ Error::ExchangeUnsupported { .. }) => {
                assert_eq!(error.path(), old);
                let public = cutover_store::Error::from(error);
                assert_eq!((public.code(), &public.detail()["reason"]), ("CUTOVER_IO", &"exchange-unsupported".into()));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(names(base), ["new", "new.file", "old", "old.file"]);
        assert_eq!(read_to_string(old.join("file")).unwrap(), "old");
        replace_with(&base.join("old.file"), &base.join("new.file"), Gap::Refuse).unwrap();
        assert_eq!(read_to_string(base.join("old.file")).unwrap(), "new");
    });
}

#[test]
fn across_an_accepted_gap_a_directory_is_replaced_and_the_old_one_removed() {
    without_exchange("across_an_accepted_gap_a_directory_is_replaced_and_the_old_one_removed", |base| {
        replace_with(&base.join("old"), &base.join("new"), Gap::Accept).unwrap();
        assert_eq!(names(base), ["new.file", "old", "old.file"]);
        assert_eq!(read_to_string(base.join("old/file")).unwrap(), "new");
    });
}

#[test]
fn a_rebuild_in_place_is_refused_before_its_first_swap() {
    without_exchange("a_rebuild_in_place_is_refused_before_its_first_swap", |base| {
        let rebuild = || {
            let rebuild = InPlace::begin(base, "test", LockWait::Now, &|| false).unwrap();
            write(rebuild.staging().join("file"), "new").unwrap();
            create_dir(rebuild.staging().join("directory")).unwrap();
            rebuild
        };
        let swap = |staged: &str, target: &str| Swap { staged: staged.to_owned(), target: target.to_owned() };
        let error = rebuild().finish(&[swap("file", "old.file"), swap("directory", "old")]).unwrap_err();
        assert_eq!(error.detail()["reason"], "exchange-unsupported");
        assert_eq!(read_to_string(base.join("old.file")).unwrap(), "old");
        assert_eq!(names(base), [".index_rebuild.lock", "new", "new.file", "old", "old.file"]);
        // Files, and directories that are not there yet, need no exchange.
        rebuild().finish(&[swap("file", "old.file"), swap("directory", "made")]).unwrap();
        assert_eq!(read_to_string(base.join("old.file")).unwrap(), "new");
        assert_eq!(names(&base.join("made")), [""; 0]);
    });
}
