//! Who makes a commit: the person of the flag, or of the local git configuration.

use std::process::Command;

use flux_crds::git_repository::Author;

use crate::error::Error;

/// Returns the person of the flag, or whom git itself would name.
pub(crate) fn author(flag: Option<&Author>) -> Result<Author, Error> {
    if let Some(author) = flag {
        return Ok(author.clone());
    }
    // `git var` looks at the environment, and at all files of the configuration.
    let said = Command::new("git")
        .args(["var", "GIT_AUTHOR_IDENT"])
        .output()
        .ok();
    let said = said.filter(|said| said.status.success());
    said.and_then(|said| identity(&String::from_utf8_lossy(&said.stdout)))
        .ok_or_else(|| {
            Error::usage(
                "nobody is named as the author of the commit",
                "name yourself with --user \"NAME <E-MAIL>\", or once for all with git config --global user.name and user.email",
            )
        })
}

/// Reads `NAME <E-MAIL> TIME ZONE`.
fn identity(text: &str) -> Option<Author> {
    let (name, rest) = text.split_once('<')?;
    let (email, _) = rest.split_once('>')?;
    let author = Author {
        name: name.trim().to_owned(),
        email: email.to_owned(),
    };
    (!author.name.is_empty() && !author.email.is_empty()).then_some(author)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_of_git_is_read() {
        let author =
            identity("Ada Lovelace <ada@example.com> 1767225600 +0100\n").expect("a person");

        assert_eq!(
            (&*author.name, &*author.email),
            ("Ada Lovelace", "ada@example.com")
        );
        assert_eq!(identity(" <> 0 +0000"), None);
    }
}
