//! What several test files need.

use std::path::Path;

use formats::Options;

/// Copies a lab's folder, links as links.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&from).unwrap(), &to).unwrap();
        } else if kind.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

/// Converts the lab in a folder, and checks that the result is read as the same lab with the
/// same files. Gives the converted text.
pub(crate) fn convert_and_compare(folder: &Path) -> String {
    let before = formats::read(folder, &Options::default()).unwrap_or_else(|e| panic!("{e}"));
    let text = formats::to_yaml(&before.lab).unwrap();
    let copied = tempfile::tempdir().unwrap();
    copy(folder, copied.path());
    std::fs::write(copied.path().join("telaio.yaml"), &text).unwrap();
    let after = formats::read(copied.path(), &Options::default())
        .unwrap_or_else(|e| panic!("{}:\n{e}\n{text}", folder.display()));
    assert_eq!(after.lab, before.lab, "{}:\n{text}", folder.display());
    assert!(
        after.snapshot == before.snapshot,
        "{}: other files",
        folder.display()
    );
    assert_eq!(after.snapshot.blobs, before.snapshot.blobs);
    // and what is written from it is the same text again
    assert_eq!(formats::to_yaml(&after.lab).unwrap(), text);
    text
}
