//! Whole labs with real kernels: their lives, what they leave behind (nothing), and what goes
//! wrong. Every test runs as whoever runs it and, where that is root, also as an ordinary user
//! without subordinate ids.

mod host;
mod leaving;
mod running;
mod trouble;

/// Runs each test for both kinds of users.
macro_rules! for_everyone {
    ($($name:ident),+ $(,)?) => {
        mod as_caller {
            $(#[test] fn $name() { super::$name(&crate::host::Host::of_caller()); })+
        }
        mod as_user {
            $(#[test] fn $name() {
                match crate::host::Host::of_user() {
                    Some(host) => super::$name(&host),
                    None => testkit::skip!("only root can be another user"),
                }
            })+
        }
    };
}
pub(crate) use for_everyone;

/// Two joined nodes.
pub(crate) const PAIR: &str = "\
nodes:
  a: {interfaces: {eth0: 10.9.0.1/24}}
  b: {interfaces: {eth0: 10.9.0.2/24}}
links:
  - [a:eth0, b:eth0]
";
