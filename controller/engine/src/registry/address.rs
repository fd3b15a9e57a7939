//! Where a repository is, in the terms of the registry's API.

use flux_core::image::Name;
use reqwest::Url;

use super::{Access, Error};

/// Docker Hub as credentials and canonical names call it.
const HUB: &str = "index.docker.io";
/// Docker Hub's API.
const HUB_API: &str = "registry-1.docker.io";

/// So many tags are asked for at once; registries that give fewer do so.
const PAGE: &str = "1000";

/// Returns the one name of Docker Hub for its many, and any other host as it is.
pub(super) fn hub_alias(host: &str) -> &str {
    let names = [HUB, "docker.io", HUB_API, "registry.hub.docker.com"];
    if names.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        HUB
    } else {
        host
    }
}

/// A repository and how it is reached, however its name is written.
pub(super) type RepositoryKey = (Url, String, Access);

/// One repository of one registry, and how it is reached.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    /// `https://host:port/v2/`.
    api: Url,
    path: String,
    /// The name as the user wrote it, for messages.
    pub(super) image: String,
    pub(super) access: Access,
}

impl Repository {
    pub(super) fn new(name: &Name, access: &Access) -> Result<Self, Error> {
        let scheme = if access.is_insecure() {
            "http"
        } else {
            "https"
        };
        let host = match hub_alias(name.registry()) {
            HUB => HUB_API,
            host => host,
        };
        let image = name.to_string();
        let api = Url::parse(&format!("{scheme}://{host}/v2/"));
        let api = api.map_err(|error| Error::Address {
            image: image.clone(),
            message: format!("{host} is no host: {error}"),
        })?;
        Ok(Self {
            api,
            path: name.path().to_owned(),
            image,
            access: access.clone(),
        })
    }

    /// What two spellings of one repository have in common.
    pub(super) fn key(&self) -> RepositoryKey {
        (self.api.clone(), self.path.clone(), self.access.clone())
    }

    /// The address whose answer says how to be let in.
    pub(super) fn api(&self) -> &Url {
        &self.api
    }

    pub(super) fn tags(&self) -> Result<Url, Error> {
        let mut url = self.join("tags", "list")?;
        url.query_pairs_mut().append_pair("n", PAGE);
        Ok(url)
    }

    pub(super) fn manifest(&self, reference: &str) -> Result<Url, Error> {
        self.join("manifests", reference)
    }

    pub(super) fn blob(&self, digest: &str) -> Result<Url, Error> {
        self.join("blobs", digest)
    }

    /// What a token has to allow.
    pub(super) fn scope(&self) -> String {
        format!("repository:{}:pull", self.path)
    }

    /// Tells whether an address is one of this registry, to which credentials may go.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.api.origin()
    }

    /// Names an image of this repository for messages.
    pub(super) fn name(&self, reference: &str) -> String {
        let separator = if reference.contains(':') { '@' } else { ':' };
        format!("{}{separator}{reference}", self.image)
    }

    fn join(&self, what: &str, last: &str) -> Result<Url, Error> {
        // Tags and digests of users and registries end in an address here; nothing else may.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-:+=".contains(c);
        if last.is_empty() || last.starts_with('.') || !last.chars().all(is_plain) {
            return Err(Error::Address {
                image: self.image.clone(),
                message: format!("{last:?} is neither a tag nor a digest"),
            });
        }
        let url = self.api.join(&format!("{}/{what}/{last}", self.path));
        url.map_err(|error| Error::Address {
            image: self.image.clone(),
            message: error.to_string(),
        })
    }
}

/// Returns host and port for messages; the rest of an address can hold secrets.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(name: &str, access: &Access) -> String {
        let repository = Repository::new(&name.parse().unwrap(), access).unwrap();
        repository.tags().unwrap().to_string()
    }

    #[test]
    fn names_become_addresses() {
        let everyone = Access::anonymous();
        for (name, expected) in [
            (
                "nginx",
                "https://registry-1.docker.io/v2/library/nginx/tags/list?n=1000",
            ),
            (
                "docker.io/org/app",
                "https://registry-1.docker.io/v2/org/app/tags/list?n=1000",
            ),
            (
                "ghcr.io/a/b/c/d",
                "https://ghcr.io/v2/a/b/c/d/tags/list?n=1000",
            ),
            (
                "localhost:5000/a",
                "https://localhost:5000/v2/a/tags/list?n=1000",
            ),
        ] {
            assert_eq!(tags(name, &everyone), expected);
        }
        assert_eq!(
            tags("localhost:5000/a", &everyone.insecure(true)),
            "http://localhost:5000/v2/a/tags/list?n=1000"
        );
    }

    #[test]
    fn only_tags_and_digests_become_parts_of_an_address() {
        let repository =
            Repository::new(&"ghcr.io/a".parse().unwrap(), &Access::anonymous()).unwrap();
        assert!(repository.manifest("1.0_x").is_ok());
        assert!(repository.manifest("sha256:00ff").is_ok());
        for evil in ["", "..", "a/b", "a?b", "a#b", "a%2fb", "a b"] {
            assert!(repository.manifest(evil).is_err(), "{evil:?}");
        }
    }

    #[test]
    fn credentials_stay_with_scheme_host_and_port() {
        let repository =
            Repository::new(&"ghcr.io/a".parse().unwrap(), &Access::anonymous()).unwrap();
        for (url, expected) in [
            ("https://ghcr.io/other", true),
            ("https://ghcr.io:443/v2/", true),
            ("http://ghcr.io/v2/", false),
            ("https://ghcr.io:8443/v2/", false),
            ("https://ghcr.io.evil.example/v2/", false),
        ] {
            assert_eq!(repository.is_own(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
