//! `create image`.

use flux_core::{choose::Rules, image::Name};
use flux_crds::{
    ImagePolicy, ImagePolicySpec, SecretReference,
    image_policy::{
        Filter, NewestPolicy, OrderPolicy, Policy, RepositoryReference, SemverPolicy, Update,
    },
};

use super::write::Written;
use crate::{args::CreateImageArgs, error::Error};

/// Builds the ImagePolicy. What the controller would refuse is refused here.
pub(crate) fn build(args: &CreateImageArgs) -> Result<Written, Error> {
    if let Err(error) = args.image.parse::<Name>() {
        let hint = "name the image without scheme, tag and digest";
        return Err(Error::usage(error.to_string(), hint));
    }
    let (filter, policy) = (filter(args), policy(args));
    if let Err(error) = Rules::compile(filter.as_ref(), &policy) {
        let hint = "see how tags are chosen: kubectl explain imagepolicy.spec";
        return Err(Error::usage(error.to_string(), hint));
    }
    let spec = ImagePolicySpec {
        image: args.image.clone(),
        interval: args.interval.clone(),
        timeout: args.timeout.clone(),
        secret_ref: args.secret.as_ref().map(SecretReference::new),
        service_account_name: args.service_account.clone(),
        cert_secret_ref: args.cert_secret.as_ref().map(SecretReference::new),
        insecure: args.insecure.then_some(true),
        filter,
        policy,
        digest: args.digest,
        platform: args.platform.clone(),
        allow_downgrade: args.allow_downgrade.then_some(true),
        update: update(args),
        ..ImagePolicySpec::default()
    };
    Ok(Written::namespaced(&ImagePolicy::new(&args.name, spec)))
}

fn filter(args: &CreateImageArgs) -> Option<Filter> {
    let filter = Filter {
        include: args.filter.clone(),
        extract: args.extract.clone(),
        exclude: args.exclude.clone(),
    };
    (filter != Filter::default()).then_some(filter)
}

fn policy(args: &CreateImageArgs) -> Policy {
    let order = |order| OrderPolicy { order: Some(order) };
    Policy {
        semver: args.semver.clone().map(|range| SemverPolicy { range }),
        numerical: args.numerical.map(order),
        alphabetical: args.alphabetical.map(order),
        newest: args.newest.then(NewestPolicy::default),
    }
}

fn update(args: &CreateImageArgs) -> Vec<Update> {
    let update = |name: &String| Update {
        repository: RepositoryReference { name: name.clone() },
        path: args.update_path.clone(),
        strategy: args.strategy,
    };
    args.repository.as_ref().map(update).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command, CreateCommand};

    fn create(words: &str) -> Result<(), String> {
        let words = ["kubectl-flux", "create", "image", "app"]
            .into_iter()
            .chain(words.split_whitespace());
        let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
        match cli.command {
            Command::Create(CreateCommand::Image(args)) => {
                build(&args).map(drop).map_err(|error| error.to_string())
            }
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn each_policy_can_be_asked_for() {
        for policy in [
            "--semver ^1.0",
            "--numerical",
            "--numerical=Descending --filter main-(.*) --extract $1",
            "--alphabetical --exclude -rc",
            "--newest --filter glob:main-*",
        ] {
            let words = format!("--image ghcr.io/org/app {policy}");
            assert_eq!(create(&words), Ok(()), "{policy}");
        }
    }

    #[test]
    fn what_the_controller_would_refuse_is_refused_here() {
        for (words, part) in [
            ("--image ghcr.io/org/app", "required"),
            (
                "--image ghcr.io/org/app --newest --numerical",
                "cannot be used",
            ),
            (
                "--image ghcr.io/org/app:1 --newest",
                "not the name of an image",
            ),
            ("--image app --semver one", "not a range"),
            (
                "--image app --newest --filter (",
                "not a regular expression",
            ),
            (
                "--image app --newest --filter a --extract $ts",
                "names the group",
            ),
            ("--image app --newest --update-path ./apps", "required"),
        ] {
            let error = create(words).expect_err(words);
            assert!(error.contains(part), "{words}: {error}");
        }
    }
}
