//! The verbs.

mod build;
mod check;
mod completion;
mod create;
mod delete;
mod diff;
mod drift;
mod events;
mod export;
mod follow;
mod get;
mod history;
mod images;
mod install;
mod policy;
mod publish;
mod reconcile;
mod release;
mod suspend;
mod target;
mod tree;
mod uninstall;
mod version;
mod wait;
mod workloads;

use std::process::ExitCode;

use self::target::{Target, Targets};

use crate::{
    args::{Cli, Command, Connection, DiffArgs},
    error::Error,
    streams::Streams,
};

/// Does what the command line says.
pub(crate) fn run(cli: Cli, streams: &mut Streams) -> Result<ExitCode, Error> {
    // A build of files waits for nobody, and most are over before a runtime has started.
    if let Command::Build(args) = &cli.command
        && !args.remote.allow_remote_bases
    {
        return build::run(args, streams).map(|()| ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Runtime::new().map_err(Error::Runtime)?;
    runtime.block_on(Box::pin(run_with(cli, streams)))
}

async fn run_with(cli: Cli, streams: &mut Streams) -> Result<ExitCode, Error> {
    let connection = &cli.connection;
    match cli.command {
        Command::Create(create) => create::run(create, connection, streams).await,
        Command::Delete(args) => delete::run(&args, connection, streams).await,
        Command::Export(args) => export::run(&args, connection, streams).await,
        Command::Get(args) => get::run(&args, connection, streams).await,
        Command::Suspend(args) => suspend::suspend(&args, connection, streams).await,
        Command::Resume(args) => suspend::resume(&args, connection, streams).await,
        Command::Reconcile(args) => reconcile::run(&args, connection, streams).await,
        Command::Wait(args) => wait::run(&args, connection, streams).await,
        Command::Build(args) => tokio::task::block_in_place(|| build::run(&args, streams)),
        Command::Version(args) => version::run(&args, connection, streams).await,
        Command::Completion(args) => completion::script(&args, streams),
        Command::Complete { words } => completion::candidates(&words, streams).await,
        Command::Install(args) => install::run(&args, connection, streams).await,
        Command::Uninstall(args) => Box::pin(uninstall::run(&args, connection, streams)).await,
        Command::Check(args) => check::run(&args, connection, streams).await,
        Command::Tree(args) => tree::run(&args, connection, streams).await,
        Command::Events(args) => events::run(&args, connection, streams).await,
        Command::History(args) => history::history(&args, connection, streams).await,
        Command::Drift(args) => drift::run(&args, connection, streams).await,
        Command::Rollback(args) => history::rollback(&args, connection, streams).await,
        Command::Release(args) => Box::pin(release::run(&args, connection, streams)).await,
        Command::Automate(args) => policy::automate(&args, connection, streams).await,
        Command::Deautomate(args) => policy::deautomate(&args, connection, streams).await,
        Command::Lock(args) => policy::lock(&args, connection, streams).await,
        Command::Unlock(args) => policy::unlock(&args, connection, streams).await,
        Command::Policy(args) => policy::policy(&args, connection, streams).await,
        Command::Workloads(args) => workloads::run(&args, connection, streams).await,
        Command::Images(args) => images::run(&args, connection, streams).await,
        Command::Diff(args) => return Ok(diff(&args, connection, streams).await),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Ends as `diff` and `kubectl diff` do: 0 nothing differs, 1 something does, 2 nobody knows.
async fn diff(args: &DiffArgs, connection: &Connection, streams: &mut Streams) -> ExitCode {
    match Box::pin(diff::run(args, connection, streams)).await {
        Ok(diff::Verdict::Equal) => ExitCode::SUCCESS,
        Ok(diff::Verdict::Different) => ExitCode::from(1),
        Err(error) => {
            streams.report(&error);
            ExitCode::from(2)
        }
    }
}
