//! The fixtures through core and component.

use hydrant_tests::engine::{Component, Engine, Native};
use hydrant_tests::fixtures::judge;

fn all_pass(engine: &dyn Engine) {
    let (differences, judged) = judge(engine).expect("the fixtures are there");
    assert_eq!(differences, Vec::<String>::new());
    assert!(judged >= 50, "{judged} fixtures judged");
}

#[test]
fn through_the_core() {
    all_pass(&Native);
}

#[test]
fn through_the_component() {
    all_pass(&Component::load().expect("the component is built"));
}
