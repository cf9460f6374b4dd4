//! The command line as people and programs see it: what it says and its exit status, without a
//! running lab.

#[test]
fn says_what_it_should() {
    let runtime = tempfile::tempdir().expect("a folder for no labs");
    let cases = trycmd::TestCases::new();
    cases
        .env("TELAIO_RUNTIME_DIR", runtime.path().to_string_lossy())
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .case("tests/cmd/*.trycmd");
    cases.run();
}
