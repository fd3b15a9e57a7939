//! `kubectl flux`: create, see and act on the three kinds of flux.rs.
//!
//! ```text
//! args ──► command ──► cluster (requests) ──► rows, trees, lines (pure) ──► streams
//!              └─────► build, diff: the controller's own crates
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`args`] | the grammar; the only place that reads flags and environment |
//! | [`command`] | one module for each verb |
//! | [`cluster`], [`resource`], [`kind`] | requests, and the three kinds with what they have in common |
//! | [`workload`], [`registry`] | what runs which images, and what there is to run |
//! | [`change`], [`repository`], [`person`] | what is changed in git, where, and by whom |
//! | [`manifests`] | what `install` applies: the files of `config/` |
//! | [`output`], [`table`], [`age`], [`streams`] | how things are printed: stdout is data, stderr is talk |
//! | [`error`] | what can go wrong, the hint that goes with it, and the exit status |

mod age;
mod args;
mod change;
mod cluster;
mod command;
mod error;
mod kind;
mod manifests;
mod output;
mod person;
#[cfg(test)]
mod reference;
mod registry;
mod repository;
mod resource;
mod streams;
mod table;
mod workload;

use std::process::ExitCode;

use crate::{args::Cli, streams::Streams};

fn main() -> ExitCode {
    let cli = Cli::of_the_process();
    let mut streams = Streams::of_the_process();
    match command::run(cli, &mut streams) {
        Ok(code) => code,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            streams.report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
