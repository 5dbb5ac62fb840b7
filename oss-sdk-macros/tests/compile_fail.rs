//! What the macros refuse, and what they say: the caret stands on the token that is wrong.

#[test]
fn wrong_input_is_refused_with_a_remedy() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
