//! Packet classification: patterns and filter expressions to decision programs, printed as Click
//! prints them and run in a faster form that decides the same.
