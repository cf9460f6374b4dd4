//! Lab languages.
