use super::*;

fn in_own_root(run: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
}

fn place_in(root: &Path, name: &str) -> Place {
    let folder = root.join(name);
    let lock = Place::draft(&folder, name, Path::new("/labs/x")).unwrap();
    let owner = rustix::process::geteuid().as_raw();
    Place {
        folder,
        name: name.into(),
        owner,
        lock: Some(lock),
    }
}

fn live(root: &Path, name: &str) -> Option<Place> {
    Place::live(root, name, rustix::process::geteuid().as_raw())
}

#[test]
fn names_are_made_fit() {
    assert_eq!(sanitise("my lab (2)"), "my-lab--2");
    assert_eq!(sanitise("../../etc"), "etc");
    assert_eq!(sanitise("Übung"), "bung");
    assert_eq!(sanitise("..."), "lab");
    assert_eq!(sanitise(&"x".repeat(99)).len(), LONGEST_NAME);
    for bad in ["", "..", "a/b", "-x", "a b", ".hidden"] {
        assert!(check_name(bad).is_err(), "{bad}");
        assert!(check_name(&sanitise(bad)).is_ok(), "{bad}");
    }
}

#[test]
fn a_lab_lives_while_its_lock_is_held() {
    in_own_root(|root| {
        let place = place_in(root, "one");
        let seen = live(root, "one").expect("alive");
        assert_eq!(seen.note().source, Path::new("/labs/x"));
        assert_eq!(seen.note().protocol, crate::proto::VERSION);
        // a share of the lock in another hand keeps it
        let share = place.lock().try_clone_to_owned().unwrap();
        let place = place.handed_over();
        assert!(live(root, "one").is_some());
        assert!(!place.wait_gone(Duration::from_millis(5)));
        drop(share);
        assert!(place.wait_gone(Duration::from_secs(5)));
        // whoever sees it now removes it
        assert!(live(root, "one").is_none());
        assert!(!root.join("one").exists());
        assert_eq!(std::fs::read_dir(root).unwrap().count(), 0);
    });
}

#[test]
fn removing_frees_the_name_and_only_its_holder_can() {
    in_own_root(|root| {
        let place = place_in(root, "one");
        let seen = live(root, "one").unwrap();
        seen.remove();
        assert!(root.join("one").exists());
        place.note_groups(["/nonexistent/telaio-test"]);
        place.remove();
        assert_eq!(std::fs::read_dir(root).unwrap().count(), 0);
        // a second removal finds another lab of the same name and leaves it alone
        let next = place_in(root, "one");
        place.remove();
        assert!(live(root, "one").is_some());
        drop(next);
    });
}

#[test]
fn links_and_strange_files_are_no_labs() {
    in_own_root(|root| {
        let place = place_in(root, "real");
        std::os::unix::fs::symlink(place.folder(), root.join("link")).unwrap();
        std::fs::write(root.join("file"), "x").unwrap();
        assert!(live(root, "link").is_none());
        assert!(live(root, "file").is_none());
        assert!(root.join("link").exists(), "what is no lab is not removed");
        // a pipe in the place of the note does not hold us up
        std::fs::remove_file(place.folder().join("lab.json")).unwrap();
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            place.folder().join("lab.json"),
            Mode::RUSR | Mode::WUSR,
        )
        .unwrap();
        assert_eq!(place.note(), Note::default());
    });
}

#[test]
fn a_name_in_use_is_refused_with_its_origin() {
    in_own_root(|root| {
        let place = place_in(root, "one");
        let draft = root.join(".new-1-one");
        Place::draft(&draft, "one", Path::new("/labs/y")).unwrap();
        let error = publish(&draft, place.folder(), "one").unwrap_err();
        assert!(error.to_string().contains("/labs/x"), "{error}");
        assert!(error.help().unwrap().contains("--name"));
    });
}

#[test]
fn the_kernels_list_of_locks_tells_too() {
    in_own_root(|root| {
        let place = place_in(root, "one");
        assert!(place.locked_by_listing());
        let place = place.handed_over();
        assert!(!place.locked_by_listing());
    });
}
