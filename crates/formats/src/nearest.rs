//! The known word that a person most likely meant.

/// The nearest of `known` to `word`, if it is near: at most a third of its letters differ.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|k| (distance(word, k, allowed), k))
        .filter(|(d, _)| *d <= allowed && *d < word.chars().count())
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// How many letters must be changed, added, left out or swapped with their neighbour (optimal
/// string alignment distance), more than `most` if it is more than that. Case counts nothing.
fn distance(a: &str, b: &str, most: usize) -> usize {
    let fold = |s: &str| -> Vec<char> { s.chars().flat_map(char::to_lowercase).collect() };
    let (a, b) = (fold(a), fold(b));
    if a.len().abs_diff(b.len()) > most || a.len().max(b.len()) > 128 {
        return most + 1;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["image", "mem", "bridged", "num_terms"];
        assert_eq!(nearest("imgae", known), Some("image"));
        assert_eq!(nearest("Image", known), Some("image"));
        assert_eq!(nearest("numterms", known), Some("num_terms"));
        assert_eq!(nearest("folder", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("d", ["a", "D"]), Some("D"));
        assert_eq!(nearest("d", ["a", "b"]), None);
    }
}
