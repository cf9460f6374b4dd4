//! The Click language: text to a checked, flat graph of elements, and the arguments that elements
//! are configured with. It knows no packet and runs nothing.

pub mod args;
