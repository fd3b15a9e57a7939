//! Links the plugin at a fixed address.
//!
//! A program of this size that may stand anywhere has some two hundred pages to correct before it runs its first line,
//! which takes longer than most builds of kustomizations and stays in memory. It starts anew for every command.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
