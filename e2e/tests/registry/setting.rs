//! A registry with one repository, and a client.

use std::{collections::BTreeMap, time::Duration};

use flux_core::image::Name;
use flux_e2e::registry::{Auth, Door, Image, Options, PASSWORD, Registry, Seen, USER};
use flux_engine::registry::{self, Access, Client, Error, Login};

/// What every test's repository has.
pub(crate) const TAGS: [&str; 5] = ["1.0.0", "1.1.0", "1.2.0-rc.1", "latest", "main-3"];

pub(crate) struct Setting {
    pub(crate) registry: Registry,
    pub(crate) client: Client,
}

impl Setting {
    pub(crate) async fn new(options: &Options) -> Self {
        let registry = Registry::start_with(options).unwrap();
        let image = Image::new().created("2026-11-23T12:00:00Z");
        registry.push_tags("team/app", TAGS, &image).await.unwrap();
        Self {
            registry,
            client: client(),
        }
    }

    pub(crate) async fn open() -> Self {
        Self::new(&Options::default()).await
    }

    pub(crate) async fn closed(auth: Auth, door: Door) -> Self {
        Self::new(&Options {
            auth,
            door,
            ..Options::default()
        })
        .await
    }

    pub(crate) fn name(&self) -> Name {
        self.named("team/app")
    }

    pub(crate) fn named(&self, repository: &str) -> Name {
        self.registry.name(repository).parse().unwrap()
    }

    pub(crate) async fn tags(&self, access: &Access) -> Result<Vec<String>, Error> {
        let tags = self.client.tags(&self.name(), access).await?;
        Ok(tags.to_vec())
    }

    /// Whether all tags are seen.
    pub(crate) async fn is_open_to(&self, access: &Access) {
        assert_eq!(self.tags(access).await.unwrap(), TAGS);
    }

    /// Returns why the tags are not seen.
    pub(crate) async fn refusal(&self, access: &Access) -> Error {
        self.tags(access).await.unwrap_err()
    }

    /// Returns method and path of what was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        let line = |seen: Seen| format!("{} {}", seen.method, seen.path);
        self.registry.requests().into_iter().map(line).collect()
    }

    /// Counts the requests whose path holds a text.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.asked()
            .iter()
            .filter(|line| line.contains(part))
            .count()
    }

    /// The certificates that open the registry's TLS.
    pub(crate) fn authority(&self) -> BTreeMap<String, Vec<u8>> {
        data(&[("ca.crt", self.registry.authority())])
    }
}

/// A client that does not wait long.
pub(crate) fn client() -> Client {
    Client::new(registry::Options {
        timeout: Duration::from_secs(10),
        ..registry::Options::default()
    })
}

pub(crate) fn everyone() -> Access {
    Access::anonymous().insecure(true)
}

pub(crate) fn jane() -> Access {
    everyone().with_login(password(PASSWORD))
}

pub(crate) fn password(password: &str) -> Login {
    Login::Password {
        user: USER.to_owned(),
        password: password.to_owned(),
    }
}

pub(crate) fn data(secret: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
    secret.iter().map(entry).collect()
}
