//! Names of labs, which become names of folders.

use std::path::Path;

/// A name that a lab can have, from any text: what does not fit becomes `-`.
pub(crate) fn tame(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let mut out = String::new();
    for c in text.trim().chars().take(63) {
        match fits(c) {
            true => out.push(c),
            false if out.ends_with('-') => {}
            false => out.push('-'),
        }
    }
    out.trim_start_matches(['-', '.'])
        .trim_end_matches('-')
        .to_string()
}

/// A lab's name from its folder; of one that is only called `lab`, from the folder around it.
pub(crate) fn of_folder(path: &Path) -> String {
    let name = |path: &Path| tame(&path.file_name().unwrap_or_default().to_string_lossy());
    let around = path.parent().map(name).unwrap_or_default();
    match name(path).as_str() {
        "" => "lab".to_string(),
        "lab" if !around.is_empty() => around,
        own => own.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_name() {
        assert_eq!(tame("Two  computers, one lab!"), "Two-computers-one-lab");
        assert_eq!(tame("../../x"), "x");
        assert_eq!(of_folder(Path::new("/")), "lab");
        assert_eq!(of_folder(Path::new("/a/é")), "lab");
        assert_eq!(of_folder(Path::new("/red-baron/lab")), "red-baron");
        assert_eq!(of_folder(Path::new("/lab")), "lab");
        for text in ["é", "..", "-x", "a/b", &"x".repeat(100)] {
            let name = tame(text);
            assert!(
                name.is_empty() || lab::check_node_name(&name).is_ok(),
                "{name}"
            );
        }
    }
}
