//! `completion`, and the candidates that kubectl asks for.

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap_complete::{Shell, engine};

use crate::{
    args::{Cli, CompletionArgs, CompletionShell},
    error::Error,
    streams::Streams,
};

/// The executable that kubectl calls to complete a plugin.
const KUBECTL: &str = "\
#!/bin/sh
# kubectl runs this to complete \"kubectl flux …\"; it must be in the PATH.
exec kubectl-flux __complete \"$@\"
";

/// Tells kubectl not to offer files, as cobra's `ShellCompDirectiveNoFileComp` does.
const NO_FILES: &str = ":4";
/// Tells kubectl to offer files, as cobra's `ShellCompDirectiveDefault` does.
const FILES: &str = ":0";

/// Prints a completion script.
pub(crate) fn script(args: &CompletionArgs, streams: &mut Streams) -> Result<(), Error> {
    let shell = match args.shell {
        CompletionShell::Kubectl => return streams.data(KUBECTL),
        CompletionShell::Bash => Shell::Bash,
        CompletionShell::Zsh => Shell::Zsh,
        CompletionShell::Fish => Shell::Fish,
        CompletionShell::PowerShell => Shell::PowerShell,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kubectl-flux", &mut script);
    streams.data(&String::from_utf8_lossy(&script))
}

/// Prints what could come next, as kubectl reads it: a candidate and its help on each line, then what to do beyond.
pub(crate) fn candidates(words: Vec<OsString>, streams: &mut Streams) -> Result<(), Error> {
    let index = words.len();
    let all_words = std::iter::once(OsString::from("kubectl-flux"))
        .chain(words)
        .collect();
    let found = engine::complete(&mut Cli::command(), all_words, index, None).unwrap_or_default();
    for candidate in found.iter().filter(|candidate| !candidate.is_hide_set()) {
        let value = candidate.get_value().to_string_lossy();
        match candidate.get_help() {
            Some(help) => streams.line(format_args!("{value}\t{}", first_line(&help.to_string()))),
            None => streams.line(value),
        }?;
    }
    streams.line(if found.is_empty() { FILES } else { NO_FILES })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
