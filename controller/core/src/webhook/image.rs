//! What registries say.

use flux_crds::image_policy::ImageWebhookKind;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Call, Error, News, Pushed};
use crate::image::Image;

/// Returns what a call of a registry is about.
pub(super) fn read(kind: ImageWebhookKind, call: &Call<'_>) -> Result<News, Error> {
    let pushed = match kind {
        ImageWebhookKind::Distribution => distribution(&body(call)?),
        ImageWebhookKind::Ghcr => ghcr(call)?,
        ImageWebhookKind::DockerHub => vec![docker_hub(body(call)?)],
        ImageWebhookKind::Quay => quay(body(call)?),
        ImageWebhookKind::Harbor => harbor(&body(call)?),
        ImageWebhookKind::Generic => return Ok(generic(call)),
    };
    Ok(if pushed.is_empty() {
        News::Nothing
    } else {
        News::Images(pushed)
    })
}

fn body<T: DeserializeOwned>(call: &Call<'_>) -> Result<T, Error> {
    serde_json::from_slice(call.body).map_err(|_| Error::Body)
}

#[derive(Deserialize)]
struct Envelope {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    action: String,
    #[serde(default)]
    target: Target,
}

#[derive(Default, Deserialize)]
struct Target {
    #[serde(default)]
    repository: String,
    #[serde(default)]
    tag: Option<String>,
}

fn distribution(envelope: &Envelope) -> Vec<Pushed> {
    envelope
        .events
        .iter()
        .filter(|event| event.action == "push" && !event.target.repository.is_empty())
        .map(|event| Pushed {
            path: event.target.repository.clone(),
            tag: event.target.tag.clone(),
        })
        .collect()
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(rename = "package_type", default)]
    kind: String,
    #[serde(rename = "package_version", default)]
    version: Option<PackageVersion>,
}

#[derive(Deserialize)]
struct PackageVersion {
    #[serde(default)]
    container_metadata: Option<ContainerMetadata>,
}

#[derive(Deserialize)]
struct ContainerMetadata {
    #[serde(default)]
    tag: Option<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Packages {
    #[serde(alias = "registry_package")]
    package: Package,
}

fn ghcr(call: &Call<'_>) -> Result<Vec<Pushed>, Error> {
    if !matches!(
        call.header("X-GitHub-Event"),
        Some("package" | "registry_package")
    ) {
        return Ok(Vec::new());
    }
    let Packages { package } = body(call)?;
    if !package.kind.eq_ignore_ascii_case("container") {
        return Ok(Vec::new());
    }
    let version = package
        .version
        .and_then(|version| version.container_metadata);
    let tag = version
        .and_then(|metadata| metadata.tag)
        .map(|tag| tag.name)
        .filter(|tag| !tag.is_empty());
    let path = match package.namespace {
        Some(namespace) => format!("{namespace}/{}", package.name),
        None => package.name,
    };
    Ok(vec![Pushed {
        path: path.to_lowercase(),
        tag,
    }])
}

#[derive(Deserialize)]
struct DockerHub {
    #[serde(default)]
    push_data: PushData,
    repository: HubRepository,
}

#[derive(Default, Deserialize)]
struct PushData {
    tag: Option<String>,
}

#[derive(Deserialize)]
struct HubRepository {
    repo_name: String,
}

fn docker_hub(said: DockerHub) -> Pushed {
    Pushed {
        path: said.repository.repo_name,
        tag: said.push_data.tag,
    }
}

#[derive(Deserialize)]
struct Quay {
    repository: String,
    #[serde(default)]
    updated_tags: Vec<String>,
}

fn quay(said: Quay) -> Vec<Pushed> {
    let path = said.repository;
    let tags = said.updated_tags.into_iter().map(|tag| Pushed {
        path: path.clone(),
        tag: Some(tag),
    });
    tags.collect()
}

#[derive(Deserialize)]
struct Harbor {
    #[serde(rename = "type", default)]
    kind: String,
    event_data: HarborData,
}

#[derive(Deserialize)]
struct HarborData {
    #[serde(default)]
    resources: Vec<Resource>,
    repository: HarborRepository,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    tag: Option<String>,
}

#[derive(Deserialize)]
struct HarborRepository {
    repo_full_name: String,
}

fn harbor(said: &Harbor) -> Vec<Pushed> {
    // The older name is what Harbor 1 sends.
    if !matches!(said.kind.as_str(), "PUSH_ARTIFACT" | "pushImage") {
        return Vec::new();
    }
    let resources = said.event_data.resources.iter();
    resources
        .map(|resource| Pushed {
            path: said.event_data.repository.repo_full_name.clone(),
            tag: resource.tag.clone(),
        })
        .collect()
}

/// A body that names no image is about that of the policy alone.
fn generic(call: &Call<'_>) -> News {
    #[derive(Deserialize)]
    struct Named {
        image: String,
    }
    let named: Option<Named> = serde_json::from_slice(call.body).ok();
    let image: Option<Image> = named.and_then(|named| named.image.parse().ok());
    News::Images(
        image
            .map(|image| Pushed {
                path: image.name.path().to_owned(),
                tag: image.tag,
            })
            .into_iter()
            .collect(),
    )
}
