//! Names of nodes: they become host names, file names and words of the command line.

/// What is wrong with a node's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty or longer than 63 characters.
    #[error("a node's name has 1 to 63 characters")]
    Length,
    /// Something else than ASCII letters, digits, `_`, `-` and `.`.
    #[error(
        "a node's name is made of letters, digits, `_`, `-` and `.`, and starts with a letter, digit or `_`"
    )]
    Characters,
}

/// Checks a node's name.
pub fn check_node_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() || name.len() > 63 {
        return Err(NameError::Length);
    }
    let ok = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.chars().all(ok) || !name.starts_with(first) {
        return Err(NameError::Characters);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_a_folder() {
        assert_eq!(check_node_name("r1"), Ok(()));
        assert_eq!(check_node_name("_x-1.y"), Ok(()));
        for bad in ["..", ".x", "a/b", "-l", "a b", "é"] {
            assert_eq!(check_node_name(bad), Err(NameError::Characters), "{bad}");
        }
        assert_eq!(check_node_name(""), Err(NameError::Length));
    }
}
