//! The verbs.

mod build;
mod completion;
mod create;
mod delete;
mod export;
mod get;
mod suspend;
mod target;
mod version;

use std::process::ExitCode;

use self::target::{Target, Targets};

use crate::{
    args::{Cli, Command},
    error::Error,
    streams::Streams,
};

/// Does what the command line says.
pub(crate) async fn run(cli: Cli, streams: &mut Streams) -> Result<ExitCode, Error> {
    let connection = &cli.connection;
    match cli.command {
        Command::Create(create) => create::run(create, connection, streams).await,
        Command::Delete(args) => delete::run(&args, connection, streams).await,
        Command::Export(args) => export::run(&args, connection, streams).await,
        Command::Get(args) => get::run(&args, connection, streams).await,
        Command::Suspend(args) => suspend::suspend(&args, connection, streams).await,
        Command::Resume(args) => suspend::resume(&args, connection, streams).await,
        Command::Build(args) => build::run(&args, streams),
        Command::Version(args) => version::run(&args, connection, streams).await,
        Command::Completion(args) => completion::script(&args, streams),
        Command::Complete { words } => completion::candidates(words, streams),
        Command::Install(_)
        | Command::Uninstall(_)
        | Command::Check(_)
        | Command::Tree(_)
        | Command::Events(_)
        | Command::Wait(_)
        | Command::Reconcile(_)
        | Command::Diff(_) => Err(Error::Failed("this verb is not in this version yet".into())),
    }?;
    Ok(ExitCode::SUCCESS)
}
