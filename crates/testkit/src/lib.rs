//! What tests need: network namespaces of their own (also without root), packets in and out of
//! them, the real labs that tests read, and a way to skip that can be seen. Not for publishing.

mod corpus;
mod isolation;
mod netns;
mod port;

pub use corpus::corpus;
pub use isolation::{Rights, isolate};
pub use netns::Netns;
pub use port::{Port, frame};

/// Ends a test early, visibly: prints `skipped:` and why, then returns from the function.
#[macro_export]
macro_rules! skip {
    ($($why:tt)+) => {{
        let why = ::std::format!($($why)+);
        // straight to the descriptor: the harness would keep it back
        $crate::say(&::std::format!("skipped: {why}"));
        return;
    }};
}

/// Runs the rest of a test in user, network and mount namespaces of its own: in a process of
/// its own, so that tests run at the same time without seeing each other's networks. Give it a
/// block; where the kernel lets an ordinary user make no namespaces the test is skipped.
#[macro_export]
macro_rules! isolated {
    ($body:block) => {
        $crate::isolated!($crate::Rights::User, $body)
    };
    ($rights:expr, $body:block) => {{
        fn place() {}
        let name = ::std::any::type_name_of_val(&place);
        $crate::isolate($rights, name, || $body);
    }};
}

/// For tests with a `main` of their own: answers a test runner that asks which tests there are
/// (`--list`, as of Rust's own harness). `true`: it did, and nothing is to be run.
#[expect(
    clippy::print_stdout,
    reason = "runners read this from standard output"
)]
pub fn listed(names: &[&str]) -> bool {
    let asked = |word: &str| std::env::args().any(|a| a == word);
    if !asked("--list") {
        return false;
    }
    if !asked("--ignored") {
        names.iter().for_each(|name| println!("{name}: test"));
    }
    true
}

/// Prints a line to standard error, past the test harness.
pub fn say(line: &str) {
    use std::io::Write;
    // nobody listens: nothing to do about it
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
