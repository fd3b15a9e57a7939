//! `completion`, and the candidates that kubectl asks for.

mod objects;

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap_complete::{Shell, engine};

use self::objects::{Wanted, Words};
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
pub(crate) async fn candidates(words: &[OsString], streams: &mut Streams) -> Result<(), Error> {
    let words: Vec<_> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let Some((incomplete, before)) = words.split_last() else {
        return streams.line(NO_FILES);
    };
    let words_before = Words::read(before);
    let found = match words_before.wanted() {
        Wanted::Kind if !incomplete.starts_with('-') => objects::kinds(),
        Wanted::Name(kind) if !incomplete.starts_with('-') => {
            let names = objects::names(kind, &words_before.connection).await;
            names
                .into_iter()
                .map(|name| (name, String::new()))
                .collect()
        }
        Wanted::Kind | Wanted::Name(_) | Wanted::Other => of_the_grammar(&words, incomplete),
    };
    let directive = if found.is_empty() && words_before.wanted() == Wanted::Other {
        FILES
    } else {
        NO_FILES
    };
    for (candidate, help) in found
        .iter()
        .filter(|(candidate, _)| candidate.starts_with(incomplete.as_str()))
    {
        let line = format!("{candidate}\t{help}");
        streams.line(line.trim_end())?;
    }
    streams.line(directive)
}

/// Flags are offered to those who begin to write one.
fn of_the_grammar(words: &[String], incomplete: &str) -> Vec<(String, String)> {
    let all_words = std::iter::once("kubectl-flux")
        .chain(words.iter().map(String::as_str))
        .map(OsString::from)
        .collect();
    let found =
        engine::complete(&mut Cli::command(), all_words, words.len(), None).unwrap_or_default();
    let shown = found.iter().filter(|candidate| !candidate.is_hide_set());
    let all = shown.map(|candidate| {
        let help = candidate
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let value = candidate.get_value().to_string_lossy().into_owned();
        (value, help.lines().next().unwrap_or_default().to_owned())
    });
    all.filter(|(value, _)| incomplete.starts_with('-') || !value.starts_with('-'))
        .collect()
}
