//! `flux-e2e bench images`: what images cost, from the list of tags to the commit.

mod choosing;
mod figures;
mod scanning;
mod stage;
mod writing;

use std::process::ExitCode;

use anyhow::Result;

use stage::Stage;

/// Arguments of `flux-e2e bench images`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Arguments {
    /// Exit with 1 when a figure misses its bar
    #[arg(long)]
    strict: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut cases = vec![choosing::among_many()?.shown()?];
    let stage = Stage::build().await?;
    cases.push(scanning::many(&stage).await?.shown()?);
    cases.push(scanning::shared(&stage).await?.shown()?);
    cases.push(writing::small(&stage).await?.shown()?);
    for case in writing::large(&stage).await? {
        cases.push(case.shown()?);
    }
    figures::print(&cases)?;
    let missed = cases.iter().any(|case| !case.meets_bars());
    Ok(ExitCode::from(u8::from(missed && arguments.strict)))
}
