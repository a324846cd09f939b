//! What rustc shows for wrong programs: the messages and their places.

#[test]
fn messages_and_places() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
