//! Push and pull: how they spread, and what is said about connections that make no sense.

use click::{Facts, Mode, Options, Processing, parse, resolve};

fn facts(class: &str) -> Facts<'static> {
    let (ports, processing, flow) = match class {
        "Source" => ("0/1", "h", ""),
        "Sink" => ("1/0", "a", ""),
        "Queue" => ("1/1-2", "h/lh", ""),
        "Unqueue" => ("1/1", "l/h", ""),
        "Idle" => ("-", "a", "x/y"),
        _ => ("1/1", "a", ""),
    };
    Facts {
        ports,
        processing,
        flow,
    }
}

fn check(text: &str) -> Result<Processing, String> {
    let router = parse(text, "t", &Options::default()).unwrap();
    let facts: Vec<_> = router.elements.iter().map(|e| facts(&e.class)).collect();
    resolve(&router, &facts).map_err(|p| p.to_string())
}

#[test]
fn agnostic_elements_do_as_their_neighbours() {
    let modes = check("Source -> Null -> Queue -> Null -> Null -> Unqueue -> Sink;").unwrap();
    assert_eq!(modes.inputs[1], [Mode::Push]);
    assert_eq!(modes.outputs[3], [Mode::Pull]);
    assert_eq!(modes.inputs[6], [Mode::Push]);
    let modes = check("Idle -> Null -> Sink;").unwrap();
    assert_eq!(modes.outputs[1], [Mode::Agnostic]);
}

#[test]
fn pushes_cannot_be_pulled() {
    assert_eq!(
        check("s :: Source -> u :: Unqueue -> Sink;").unwrap_err(),
        "t:1: 's :: Source' push output 0 connected to 'u :: Unqueue' pull input 0\n"
    );
    assert_eq!(
        check("Source -> n :: Null -> Unqueue -> Sink;").unwrap_err(),
        "t:1: agnostic 'n :: Null' in mixed context: push input 0, pull output 0\n"
    );
}

#[test]
fn ports_are_used_as_they_may_be() {
    assert_eq!(
        check("i :: Source -> Null -> d :: Sink;\ni -> Null -> d;").unwrap_err(),
        "t:1: illegal reuse of 'i :: Source' push output 0\n"
    );
    assert_eq!(
        check("Source -> d :: Sink;\nSource -> p :: Null;").unwrap_err(),
        "t:2: 'p :: Null' output 0 unused\n"
    );
    assert_eq!(
        check("Source -> [1] d :: Sink; Idle -> d;").unwrap_err(),
        "t:1: 'd :: Sink' has no input 1\n"
    );
    check("Idle -> Idle; Source -> d :: Sink; Source -> d;").unwrap();
}
