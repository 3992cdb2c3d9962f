//! Version ids: how they are made, and that none is ever used twice.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Index, code, complete, draft, id};
use cutover_store::DraftOptions;

#[test]
fn generated_ids_count_up_and_a_version_knows_its_parent() {
    let index = Index::new();
    for sequence in 1..=3 {
        let staged = complete(draft(index.write(), None), true);
        assert!(staged.id().as_str().starts_with(&format!("{sequence:010}-")), "{}", staged.id());
        staged.publish(None, &|| false).unwrap();
    }
    let versions = index.store.versions().unwrap();
    assert_eq!(versions.iter().map(|info| info.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(versions[0].parent, None);
    assert_eq!(versions[2].parent.as_ref(), Some(&versions[1].id));
}

#[test]
fn an_id_is_refused_when_it_is_or_ever_was_used() {
    let index = Index::new();
    index.publish("v1");
    index.prepare("v2");
    index.publish("v3");
    index.publish("v4");
    let mut writer = index.write();
    writer.prune(&cutover_store::Keep { versions: 1, ..Default::default() }, false).unwrap();
    drop(writer);
    assert_eq!(index.names("versions"), ["v3", "v4"]);
    for used in ["v1", "v2", "v3", "v4"] {
        assert_eq!(
            code(index.write().draft(DraftOptions { id: Some(id(used)), ..Default::default() })),
            "CUTOVER_EXISTS",
            "{used}"
        );
    }
    assert_eq!(index.names("versions"), ["v3", "v4"]);
}

#[test]
fn a_generated_id_is_not_accepted_from_a_caller_after_its_version_was_pruned() {
    let index = Index::new();
    let publish = || complete(draft(index.write(), None), true).publish(None, &|| false).unwrap().0.info.id;
    let (first, _, _) = (publish(), publish(), publish());
    let pruned = index.write().prune(&cutover_store::Keep { versions: 1, ..Default::default() }, false).unwrap();
    assert_eq!(pruned.removed, std::slice::from_ref(&first));
    let options = DraftOptions { id: Some(first), ..Default::default() };
    assert_eq!(code(index.write().draft(options)), "CUTOVER_EXISTS");
    // One that comes later cannot have been used, and is not used again either.
    index.publish("0000000004-abcdef");
    let again = DraftOptions { id: Some(id("0000000004-abcdef")), ..Default::default() };
    assert_eq!(code(index.write().draft(again)), "CUTOVER_EXISTS");
}

#[test]
fn a_sequence_is_not_given_away_twice_though_its_version_was_pruned() {
    let index = Index::new();
    let publish = || complete(draft(index.write(), None), true).publish(None, &|| false).unwrap().0.info;
    let (first, _, third) = (publish(), publish(), publish());
    let mut writer = index.write();
    writer.activate(&first.id, None).unwrap();
    writer.activate(&index.store.versions().unwrap()[1].id, None).unwrap();
    // By size everything may go that is not protected: the third version, though it is the newest.
    let pruned = writer.prune(&cutover_store::Keep { max_bytes: Some(0), ..Default::default() }, false).unwrap();
    assert_eq!(pruned.removed, [third.id]);
    drop(writer);
    assert_eq!(publish().sequence, 4);
}

#[test]
fn a_torn_last_line_of_used_ids_is_ignored_and_does_not_swallow_the_next() {
    let index = Index::new();
    index.publish("v1");
    fs::write(index.path("used-ids"), "v1\nv2-lo").unwrap();
    index.publish("v2-lo");
    assert_eq!(fs::read_to_string(index.path("used-ids")).unwrap(), "v1\nv2-lo\nv2-lo\n");
    assert_eq!(
        code(index.write().draft(DraftOptions { id: Some(id("v2-lo")), ..Default::default() })),
        "CUTOVER_EXISTS"
    );
}
