//! Text files as Linux programs expect them.

/// Whether the bytes are text: none of them is a control character that no text file has.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|b| *b >= 0x20 || matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))
}

/// Drops a byte-order mark and the carriage returns before line feeds from text; leaves anything
/// else as it is.
pub(crate) fn unix(bytes: Vec<u8>) -> Vec<u8> {
    let bom = bytes.starts_with(b"\xef\xbb\xbf");
    if !(bom || bytes.contains(&b'\r')) || !is_text(&bytes) {
        return bytes;
    }
    let body = if bom { &bytes[3..] } else { &bytes[..] };
    let mut out = Vec::with_capacity(body.len());
    for (i, byte) in body.iter().enumerate() {
        if *byte != b'\r' || body.get(i + 1) != Some(&b'\n') {
            out.push(*byte);
        }
    }
    // an editor of that kind may end the last line with the carriage return alone
    if out.last() == Some(&b'\r') {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_changed() {
        let clean = |b: &[u8]| unix(b.to_vec());
        assert_eq!(clean(b"\xef\xbb\xbfip a\r\nip r\r"), b"ip a\nip r");
        assert_eq!(clean(b"a\rb"), b"a\rb");
        assert_eq!(clean(b"caf\xe9\r\n"), b"caf\xe9\n");
        assert_eq!(clean(b"\x7fELF\0\r\n"), b"\x7fELF\0\r\n");
        assert_eq!(clean(b"\x1f\x8b\x08\r\n"), b"\x1f\x8b\x08\r\n");
    }
}
