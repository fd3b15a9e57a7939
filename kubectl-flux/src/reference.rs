//! The command reference, made from the grammar.

use clap::{Command, CommandFactory as _};

use crate::args::Cli;

fn render(command: &mut Command, path: &str, reference: &mut String) {
    let help = command.render_long_help().to_string();
    let trimmed: Vec<_> = help.lines().map(str::trim_end).collect();
    let text = trimmed.join("\n");
    reference.extend(["\n## ", path, "\n\n```text\n", text.trim_end(), "\n```\n"]);
    let names: Vec<_> = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set())
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        if let Some(sub) = command.find_subcommand_mut(&name) {
            render(sub, &format!("{path} {name}"), reference);
        }
    }
}

fn reference() -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut reference = String::from(
        "# kubectl flux\n\n<!-- Made from the grammar; BLESS=1 cargo test -p kubectl-flux writes it again. -->\n",
    );
    render(&mut command, "kubectl flux", &mut reference);
    reference
}

#[test]
fn the_grammar_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn the_command_reference_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
    let expected = reference();
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))
            .expect("the crate is writable");
        std::fs::write(path, &expected).expect("the crate is writable");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == expected,
        "docs/reference.md is out of date; run BLESS=1 cargo test -p kubectl-flux"
    );
}
