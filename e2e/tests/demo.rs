//! The demo's story is true.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

#[test]
fn the_demo_tells_its_story_to_the_end() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_flux-e2e"));
    let output = demo.args(["demo", "--once"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{errors}");
    assert_eq!(told.matches('✓').count(), 8, "{told}");
}
