//! `create`: typed objects from flags.

mod git;
mod image;
mod secret;
mod sync;
mod tenant;
pub(crate) mod write;

use crate::{
    args::{Connection, CreateCommand, WriteArgs},
    error::Error,
    streams::Streams,
};

/// Builds the objects and writes them where the flags say.
pub(crate) async fn run(
    create: CreateCommand,
    connection: &Connection,
    streams: &mut Streams,
) -> Result<(), Error> {
    let (objects, write, next) = match create {
        CreateCommand::Git(args) => {
            let next = format!("see it: kubectl flux get git {}", args.name);
            (vec![git::build(&args)?], args.write, next)
        }
        CreateCommand::Sync(args) => {
            let next = format!(
                "see what it does: kubectl flux reconcile sync {}",
                args.name
            );
            (vec![sync::build(&args)?], args.write, next)
        }
        CreateCommand::Image(args) => {
            let next = format!("see what it chooses: kubectl flux get image {}", args.name);
            (vec![image::build(&args)?], args.write, next)
        }
        CreateCommand::Secret(args) => {
            let next = format!(
                "use it: kubectl flux create git NAME --secret {} …",
                args.name
            );
            let secret = secret::build(&args)?;
            warn_of_export(&args.write, streams);
            (vec![secret], args.write, next)
        }
        CreateCommand::Tenant(args) => {
            let next = format!(
                "let syncs act as it: kubectl flux create sync NAME --service-account {} …",
                args.name
            );
            (tenant::build(&args), args.write, next)
        }
    };
    write::objects(objects, &write, connection, streams).await?;
    if !write.export && write.dry_run.is_none() {
        streams.hint(next);
    }
    Ok(())
}

fn warn_of_export(write: &WriteArgs, streams: &mut Streams) {
    if write.export {
        streams.say(
            "warning: this YAML holds credentials; encrypt it before it goes into a repository",
        );
    }
}
