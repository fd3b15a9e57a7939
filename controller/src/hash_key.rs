//! The key of the hashes in `status.inventory`, in a Secret beside the controller.
//!
//! Whoever may read a Sync may read its status. A plain hash of a Secret's manifest there would tell which of a few passwords
//! is the right one; without the key it tells nothing. Losing the key costs one verifying apply of each object.

use std::time::Duration;

use flux_core::hash::Key;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use rand_core::{OsRng, RngCore as _};

use crate::report::chain;

/// The name of the Secret.
const SECRET: &str = "flux-hash-key";
/// The key in it.
const FIELD: &str = "key";
/// Time between two attempts to reach the API server.
const RETRY: Duration = Duration::from_secs(2);

/// Reads the key, or makes it at the first start. Comes back to an API server that is away for as long as it takes; without
/// the right to the Secret, or with something else in it, the key is one of this process alone.
pub(crate) async fn load(client: &Client, namespace: &str) -> Key {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    loop {
        match attempt(&secrets).await {
            Ok(Some(key)) => return key,
            Ok(None) => {
                tracing::warn!(
                    secret = SECRET,
                    "no key of 32 bytes; delete the Secret to have a new one made"
                );
                return Key::from(random());
            }
            Err(kube::Error::Api(status)) if [403, 404, 422].contains(&status.code) => {
                tracing::warn!(secret = SECRET, error = %status.message, "key not kept; the next start verifies every object");
                return Key::from(random());
            }
            Err(error) => {
                tracing::warn!(secret = SECRET, error = %chain(&error), "key not read, trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Returns the key that the Secret holds, if it is one.
async fn attempt(secrets: &Api<Secret>) -> Result<Option<Key>, kube::Error> {
    if let Some(found) = secrets.get_opt(SECRET).await? {
        return Ok(read(&found));
    }
    match secrets.create(&PostParams::default(), &secret()).await {
        Ok(created) => Ok(read(&created)),
        // Another instance was faster.
        Err(kube::Error::Api(status)) if status.code == 409 => {
            secrets.get(SECRET).await.map(|found| read(&found))
        }
        Err(error) => Err(error),
    }
}

fn read(secret: &Secret) -> Option<Key> {
    let bytes = secret.data.as_ref()?.get(FIELD)?;
    let bytes: [u8; 32] = bytes.0.as_slice().try_into().ok()?;
    Some(Key::from(bytes))
}

fn secret() -> Secret {
    let key = ByteString(random().to_vec());
    Secret {
        metadata: ObjectMeta {
            name: Some(SECRET.to_owned()),
            ..ObjectMeta::default()
        },
        immutable: Some(true),
        data: Some([(FIELD.to_owned(), key)].into()),
        ..Secret::default()
    }
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    bytes
}
