//! What texts mean: names, ports, compounds, overloads, variables, and what is said about errors.

use click::{Options, parse};

fn flat(text: &str) -> String {
    match parse(text, "t", &Options::default()) {
        Ok(router) => router.unparse(false),
        Err(problems) => panic!("{problems}"),
    }
}

fn wrong(text: &str) -> String {
    match parse(text, "t", &Options::default()) {
        Ok(router) => panic!("parsed: {}", router.unparse(false)),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn anonymous_elements_are_numbered_by_their_place() {
    assert_eq!(
        flat("q :: Queue(7);\nSource -> q -> Pull -> [1] j :: Join; Source -> j;"),
        "q :: Queue(7);\nSource@2 :: Source;\nPull@3 :: Pull;\nj :: Join;\nSource@5 :: Source;\n\
         Source@2 -> q\n    -> Pull@3\n    -> [1] j;\nSource@5 -> j;\n"
    );
}

#[test]
fn compounds_become_their_elements() {
    let text = "elementclass Two { $n | input -> Print($n) -> x :: Null -> output }
        a :: In -> t :: Two(\"hi, you\") -> b :: Out;";
    assert_eq!(
        flat(text),
        "a :: In;\nb :: Out;\nt/Print@1 :: Print(\"hi, you\");\nt/x :: Null;\n\
         a -> t/Print@1\n    -> t/x\n    -> b;\n"
    );
}

#[test]
fn groups_and_implied_ends() {
    let text = "a :: In; b :: Out; a => ( [0] -> [1]; [1] -> Null -> [0] ) => b;";
    let out = flat(text);
    assert!(out.contains("a -> [1] b;"), "{out}");
    assert!(out.contains("a [1] -> Null@6\n    -> b;"), "{out}");
}

#[test]
fn overloads_are_chosen_by_ports_then_arguments() {
    let text = "elementclass F { $a, K $k | input -> One($a, $k) -> output
            || $a, __REST__ $r | input -> Many($a : $r) -> output }
        elementclass F { input -> None -> output || ... }
        I -> F -> F(1, K 2) -> F(1, 2, 3) -> O;";
    let out = flat(text);
    for part in [":: None;", ":: One(1, 2);", ":: Many(1 : 2, 3);"] {
        assert!(out.contains(part), "{part} in {out}");
    }
    let said = wrong("elementclass F { $a | input -> output } I -> F(1, 2) -> O;");
    assert!(said.contains("no match for 'F', 2 arguments"), "{said}");
}

#[test]
fn a_class_may_be_made_of_its_older_self() {
    let out = flat("elementclass Q { input -> Q(3) -> output } I -> q :: Q -> O;");
    assert!(out.contains("q/Q@1 :: Q(3);"), "{out}");
}

#[test]
fn variables_have_scopes() {
    let out = flat("define($x 1, $y $x) { define($x 2) a :: A($x $z ${z-d}) } b :: B($x $y);");
    assert!(out.contains("b :: B(1 $x);"), "{out}");
}

#[test]
fn messages_name_file_and_line() {
    assert_eq!(
        wrong("a, b :: I;\na [0,1] => [0,1,2] b;"),
        "t:2: connection mismatch: 2 outputs connected to 3 inputs\n"
    );
    assert_eq!(
        wrong("x :: I;\n# 7 \"other\"\nx :: J;"),
        "other:7: redeclaration of element 'x'\nt:1: element 'x' previously declared here\n"
    );
    assert!(wrong("provide(x);").starts_with("t:1: syntax error near 'provide'\n"));
    assert!(wrong("a :: { input [1] -> output };").contains("input 0 missing"));
    let said = wrong("I -> c :: { input -> output; };");
    assert_eq!(said, "t:1: 'c' output 0 unused\n");
}

#[test]
fn a_caret_stands_under_the_text() {
    let problems = parse("a :: I;\n  ]", "t", &Options::default()).unwrap_err();
    let text = problems.diagnostics().render(false);
    assert!(text.contains("t:2:3"), "{text}");
}

#[test]
fn unknown_classes_are_errors_where_classes_are_known() {
    let known = |name: &str| name == "Idle";
    let options = Options {
        knows_class: Some(&known),
        ..Options::default()
    };
    let said = parse("Idle -> x; y :: Nothing;", "t", &options).unwrap_err();
    assert_eq!(
        said.to_string(),
        "t:1: undeclared element 'x'\nt:1: unknown element class 'Nothing'\n"
    );
}

#[test]
fn definitions_are_kept_or_replaced() {
    let variables = [("x".to_owned(), "9".to_owned())];
    let mut options = Options {
        variables: &variables,
        ..Options::default()
    };
    let text = "define($x 1) a :: A(${x-3})";
    let out = parse(text, "t", &options).unwrap().unparse(false);
    assert_eq!(out, "a :: A(9);\n");
    options.keep_variables = true;
    let out = parse(text, "t", &options).unwrap().unparse(false);
    assert_eq!(out, "define($x 9);\n\na :: A($x);\n");
}
