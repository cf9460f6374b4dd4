//! Configuration strings: split at commas, unquoted, read as typed values.
