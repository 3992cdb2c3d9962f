//! Where an index can lie: read-only media, file systems without locks or on a network, volumes of containers, overlays.
//!
//! What must be mounted is mounted by root in a mount namespace of its own, so nothing stays behind; file systems that
//! are not here are simulated by a library preloaded into a process (common/disguise.cc). A test that cannot be run says so and why.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    env,
    fs::{self, Permissions, create_dir, read, set_permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use common::{
    FILES, Index,
    apart::{self, DIRECTORY, INSIDE, with_mounts},
    code, complete, draft, id, names, open,
};
use cutover_durable::swap::{Gap, replace_with};
use cutover_store::{Error, InPlace, Keep, LockWait, Store, StoreOptions, Swap, VersionId, Writer};

/// Runs a test on an index that was made before, in a process whose system calls answer as the variable says.
fn disguised(name: &str, variable: &str, value: &str, body: impl FnOnce(&Path)) {
    if apart::is_inside(name) {
        return apart::disguised(name, variable, value, Path::new(""), body);
    }
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    apart::disguised(name, variable, value, index.store.root(), body);
    // It is an index like any other where nothing is disguised.
    index.publish("after");
    serves(&index.store, "after");
}

fn run(program: &str, args: &[&str], paths: &[&Path]) -> Output {
    Command::new(program).args(args).args(paths).output().unwrap()
}

fn mount(args: &[&str], paths: &[&Path]) {
    let output = run("mount", args, paths);
    assert!(output.status.success(), "mount {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn write(store: &Store) -> Result<Writer, Error> {
    store.write("test", LockWait::Now, &|| false)
}

/// Publishes a version as [`Index::publish`] does.
fn publish(store: &Store, version: &str) {
    complete(draft(write(store).unwrap(), Some(version)), true).publish(None, &|| false).unwrap();
}

/// Reads every file of the current version, which is `version`.
fn serves(store: &Store, version: &str) {
    let snapshot = store.snapshot(None).unwrap();
    assert_eq!(snapshot.id().as_str(), version);
    for name in FILES {
        assert_eq!(&*snapshot.map(name).unwrap(), version.as_bytes());
    }
}

fn limitation(store: &Store, beginning: &str) -> bool {
    store.status().unwrap().limitations.iter().any(|limitation| limitation.starts_with(beginning))
}

/// Opens what is mounted read-only at `root` in every way and asks for everything.
fn reads_and_does_not_write(root: &Path) {
    for options in [StoreOptions::default(), StoreOptions { read_only: true, ..StoreOptions::default() }] {
        let store = Store::open(root, options).unwrap();
        serves(&store, "v2");
        assert_eq!(store.versions().unwrap().len(), 2);
        assert!(limitation(&store, "writes: the file system is mounted read-only"));
        let held = store.snapshot(Some(&id("v1"))).unwrap();
        assert_eq!(store.status().unwrap().in_use, [id("v1")], "a lease needs no writing");
        drop(held);
        assert_eq!(code(write(&store)), "CUTOVER_READ_ONLY");
    }
    let refused = InPlace::begin(root, "test", LockWait::Now, &|| false);
    assert_eq!(code(refused), "CUTOVER_READ_ONLY");
}

#[test]
fn an_index_on_squashfs_opens_serves_and_says_that_nothing_can_be_written() {
    with_mounts("an_index_on_squashfs_opens_serves_and_says_that_nothing_can_be_written", || {
        let index = Index::new();
        index.publish("v1");
        index.publish("v2");
        let base = index.directory.path();
        let (image, root) = (base.join("image"), base.join("mounted"));
        if Command::new("mksquashfs").arg("-version").stdout(Stdio::null()).status().is_err() {
            return eprintln!("not run: squashfs: there is no mksquashfs (squashfs-tools)");
        }
        let made = Command::new("mksquashfs").arg(index.store.root()).arg(&image).arg("-quiet").output().unwrap();
        assert!(made.status.success(), "{made:?}");
        create_dir(&root).unwrap();
        let mounted = run("mount", &["-t", "squashfs", "-o", "loop,ro"], &[&image, &root]);
        if !mounted.status.success() {
            return eprintln!("not run: squashfs: {}", String::from_utf8_lossy(&mounted.stderr).trim());
        }
        reads_and_does_not_write(&root);
        // Loop devices outlive the namespace until they are let go.
        assert!(run("umount", &[], &[&root]).status.success());
    });
}

#[test]
fn an_index_that_is_mounted_read_only_opens_serves_and_says_so() {
    with_mounts("an_index_that_is_mounted_read_only_opens_serves_and_says_so", || {
        let index = Index::new();
        index.publish("v1");
        index.publish("v2");
        let root = index.directory.path().join("mounted");
        create_dir(&root).unwrap();
        mount(&["--bind"], &[index.store.root(), &root]);
        mount(&["-o", "remount,bind,ro"], &[&root]);
        reads_and_does_not_write(&root);
        // Who has the other mount writes on, and readers here follow.
        let reader = Store::open(&root, StoreOptions::default()).unwrap();
        index.publish("v3");
        serves(&reader, "v3");
    });
}

fn without_locks(name: &str, errno: &str) {
    disguised(name, "CUTOVER_FLOCK_ERRNO", errno, |root| {
        let store = open(root).unwrap();
        serves(&store, "v2");
        assert!(limitation(&store, "leases: this file system cannot lock"));
        assert_eq!(code(write(&store)), "CUTOVER_LOCK_UNSUPPORTED");
        let waiting = store.write("test", LockWait::Forever, &|| false);
        assert_eq!(code(waiting), "CUTOVER_LOCK_UNSUPPORTED", "what cannot be locked is not waited for");
        assert_eq!(code(InPlace::begin(root, "test", LockWait::Forever, &|| false)), "CUTOVER_LOCK_UNSUPPORTED");
        serves(&store, "v2");
    });
}

#[test]
fn where_locks_are_not_supported_reading_goes_on_without_a_lease_and_writing_is_refused() {
    // EOPNOTSUPP
    without_locks("where_locks_are_not_supported_reading_goes_on_without_a_lease_and_writing_is_refused", "95");
}

#[test]
fn where_no_locks_are_available_reading_goes_on_without_a_lease_and_writing_is_refused() {
    // ENOLCK
    without_locks("where_no_locks_are_available_reading_goes_on_without_a_lease_and_writing_is_refused", "37");
}

#[test]
fn a_network_file_system_is_read_and_refused_for_writing_by_its_name_unless_that_is_allowed() {
    let test = "a_network_file_system_is_read_and_refused_for_writing_by_its_name_unless_that_is_allowed";
    disguised(test, "CUTOVER_STATFS_TYPE", "6969", |root| {
        let reader = open(root).unwrap();
        serves(&reader, "v2");
        assert!(limitation(&reader, "network file system (nfs)"));
        let Err(error) = write(&reader) else { unreachable!("it was to be refused") };
        assert_eq!((error.code(), error.detail()["fileSystem"].as_str()), ("CUTOVER_UNSAFE_DIRECTORY", Some("nfs")));
        assert!(error.to_string().contains("(nfs)"), "{error}");

        let writer = Store::open(root, StoreOptions { allow_network: true, ..StoreOptions::default() }).unwrap();
        publish(&writer, "v3");
        serves(&reader, "v3");
        // There is no line for the lock here; waiting works without.
        let held = write(&writer).unwrap();
        let asked = AtomicU32::new(0);
        let ended = writer.write("test", LockWait::Forever, &|| asked.fetch_add(1, Ordering::Relaxed) == 5);
        assert_eq!(code(ended), "CANCELLED");
        drop(held);
        publish(&writer, "v4");
    });
}

#[test]
fn a_volume_that_its_group_can_write_is_accepted_and_one_that_everybody_can_is_not() {
    let index = Index::new();
    let root = index.store.root();
    create_dir(root).unwrap();
    // 2775: as Kubernetes mounts a volume with an fsGroup; 1777: sticky, as /tmp.
    for (version, mode) in [("v1", 0o775), ("v2", 0o2775), ("v3", 0o1777)] {
        set_permissions(root, Permissions::from_mode(mode)).unwrap();
        publish(&open(root).unwrap(), version);
        serves(&open(root).unwrap(), version);
    }
    for mode in [0o777, 0o2777] {
        set_permissions(root, Permissions::from_mode(mode)).unwrap();
        assert_eq!(code(open(root)), "CUTOVER_UNSAFE_DIRECTORY");
        assert_eq!(code(write(&index.store)), "CUTOVER_UNSAFE_DIRECTORY", "also when it became so since");
        let allowed = StoreOptions { allow_writable_by_others: true, ..StoreOptions::default() };
        publish(&Store::open(root, allowed).unwrap(), &format!("v{mode:o}"));
    }
}

#[test]
fn whoever_is_in_the_group_of_a_volume_builds_there_and_others_read() {
    let test = "whoever_is_in_the_group_of_a_volume_builds_there_and_others_read";
    let as_user = |uid: u32, groups: u32| {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={uid}"), "--regid=65534".to_owned(), format!("--groups={groups}")]);
        command
    };
    if apart::is_inside(test) {
        let store = open(&apart::directory()).unwrap();
        match env::var("CUTOVER_TEST_DEED").unwrap().as_str() {
            "build" => {
                publish(&store, "v1");
                publish(&store, "v2");
                let mut writer = write(&store).unwrap();
                writer.rollback(None, None).unwrap();
                serves(&store, "v1");
            }
            "read" => {
                serves(&store, "v1");
                assert_eq!(code(write(&store)), "CUTOVER_IO");
            }
            _ => unreachable!("a deed"),
        }
        return;
    }
    match as_user(4000, 4100).arg("true").output() {
        Ok(output) if output.status.success() => {}
        refused => return eprintln!("not run: {test}: this user cannot become another ({refused:?})"),
    }
    let base = tempfile::tempdir().unwrap();
    set_permissions(base.path(), Permissions::from_mode(0o755)).unwrap();
    // The test program's own directory may be closed to others.
    let program = base.path().join("test");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    let volume = base.path().join("volume");
    create_dir(&volume).unwrap();
    chown(&volume, None, Some(4100)).unwrap();
    set_permissions(&volume, Permissions::from_mode(0o2775)).unwrap();
    // What mkfs leaves at the root of a volume does not keep it from becoming an index.
    create_dir(volume.join("lost+found")).unwrap();
    let users = [("build", as_user(4000, 4100)), ("read", as_user(4001, 4200)), ("read", as_user(4002, 4100))];
    for (deed, mut command) in users {
        command.arg(&program).args(["--exact", test, "--nocapture"]).env(INSIDE, test);
        let output = command.env(DIRECTORY, &volume).env("CUTOVER_TEST_DEED", deed).output().unwrap();
        assert!(output.status.success(), "{deed}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(fs::metadata(volume.join("versions/v1")).unwrap().uid(), 4000);
}

#[test]
fn an_index_in_the_lower_layer_of_an_overlay_is_opened_published_to_rolled_back_and_pruned() {
    with_mounts("an_index_in_the_lower_layer_of_an_overlay_is_opened_published_to_rolled_back_and_pruned", || {
        let lower = Index::new();
        lower.publish("v1");
        lower.publish("v2");
        let base = tempfile::tempdir().unwrap();
        mount(&["-t", "tmpfs", "cutover-test"], &[base.path()]);
        for name in ["upper", "work", "merged"] {
            create_dir(base.path().join(name)).unwrap();
        }
        let [upper, work, merged] = ["upper", "work", "merged"].map(|name| base.path().join(name));
        let layers = |path: &Path| path.display().to_string();
        // As container engines mount it.
        let options = format!(
            "lowerdir={},upperdir={},workdir={},redirect_dir=off",
            layers(lower.store.root()),
            layers(&upper),
            layers(&work)
        );
        let mounted = run("mount", &["-t", "overlay", "cutover-test", "-o", &options], &[&merged]);
        if !mounted.status.success() {
            return eprintln!("not run: overlay: {}", String::from_utf8_lossy(&mounted.stderr).trim());
        }
        let store = open(&merged).unwrap();
        serves(&store, "v2");
        assert_eq!(names(&upper), [""; 0], "reading writes nothing");

        let before = store.snapshot(None).unwrap();
        publish(&store, "v3");
        serves(&store, "v3");
        write(&store).unwrap().rollback(None, None).unwrap();
        serves(&store, "v2");
        publish(&store, "v4");
        serves(&store, "v4");

        let keep = Keep { versions: 1, ..Keep::default() };
        let pruned = write(&store).unwrap().prune(&keep, false).unwrap();
        assert_eq!((ids(&pruned.removed), pruned.in_use), (vec!["v1", "v3"], vec![]), "v2 is what v4 rolls back to");
        publish(&store, "v5");
        let pruned = write(&store).unwrap().prune(&keep, false).unwrap();
        assert_eq!(pruned.in_use, [id("v2")], "a lease taken before its file was copied up holds");
        assert_eq!(&*before.map(FILES[0]).unwrap(), b"v2");
        drop(before);
        let pruned = write(&store).unwrap().prune(&keep, false).unwrap();
        assert_eq!(ids(&pruned.removed), ["v2"]);
        assert_eq!(names(&merged.join("versions")), ["v4", "v5"]);
        assert_eq!(names(&merged.join("trash")), [""; 0]);
        // The layer below is as it was.
        assert_eq!(lower.names("versions"), ["v1", "v2"]);
        serves(&lower.store, "v2");
    });
}

fn ids(versions: &[VersionId]) -> Vec<&str> {
    versions.iter().map(VersionId::as_str).collect()
}

#[test]
fn a_directory_of_a_lower_layer_is_not_replaced_and_a_file_is() {
    with_mounts("a_directory_of_a_lower_layer_is_not_replaced_and_a_file_is", || {
        let base = tempfile::tempdir().unwrap();
        mount(&["-t", "tmpfs", "cutover-test"], &[base.path()]);
        let [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map(|name| base.path().join(name));
        for path in [&lower, &upper, &work, &merged] {
            create_dir(path).unwrap();
        }
        create_dir(lower.join("directory")).unwrap();
        fs::write(lower.join("directory/old"), "old").unwrap();
        fs::write(lower.join("file"), "old").unwrap();
        let options = format!(
            "lowerdir={},upperdir={},workdir={},redirect_dir=off",
            lower.display(),
            upper.display(),
            work.display()
        );
        let mounted = run("mount", &["-t", "overlay", "cutover-test", "-o", &options], &[&merged]);
        if !mounted.status.success() {
            return eprintln!("not run: overlay: {}", String::from_utf8_lossy(&mounted.stderr).trim());
        }
        let staged = merged.join("staged");
        for gap in [Gap::Refuse, Gap::Accept] {
            create_dir(&staged).unwrap();
            let error = replace_with(&merged.join("directory"), &staged, gap).unwrap_err();
            assert!(error.is_cross_device(), "{error}");
            assert_eq!(names(&merged.join("directory")), ["old"]);
            assert_eq!(names(&merged), ["directory", "file", "staged"]);
            fs::remove_dir(&staged).unwrap();
        }
        let rebuild = InPlace::begin(&merged, "test", LockWait::Now, &|| false).unwrap();
        fs::write(rebuild.staging().join("file"), "new").unwrap();
        rebuild.finish(&[Swap { staged: "file".to_owned(), target: "file".to_owned() }]).unwrap();
        assert_eq!(read(merged.join("file")).unwrap(), b"new");
        assert_eq!(read(lower.join("file")).unwrap(), b"old");
    });
}
