//! Numbers in network byte order at places that may not exist.

/// The two bytes at `at`.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*two))
}

/// The four bytes at `at`.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*four))
}

/// Writes two bytes at `at`; `None` when there is no such place.
pub(crate) fn put_u16(bytes: &mut [u8], at: usize, value: u16) -> Option<()> {
    *bytes.get_mut(at..)?.first_chunk_mut()? = value.to_be_bytes();
    Some(())
}

/// Writes four bytes at `at`; `None` when there is no such place.
pub(crate) fn put_u32(bytes: &mut [u8], at: usize, value: u32) -> Option<()> {
    *bytes.get_mut(at..)?.first_chunk_mut()? = value.to_be_bytes();
    Some(())
}

/// `N` bytes of an array from `at` on; both are constants of a header's layout.
pub(crate) fn field<const N: usize, const M: usize>(header: &[u8; N], at: usize) -> [u8; M] {
    std::array::from_fn(|i| header[at + i])
}
