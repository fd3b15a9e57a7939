//! Signatures and tokens, compared in constant time.

use flux_crds::git_repository::WebhookKind;
use flux_crds::image_policy::ImageWebhookKind;
use hmac_sha2::{Hmac, Mac as _};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use super::{Call, Error, Sender};

/// Where GitHub, Bitbucket and others of their style sign.
const HUB_256: &str = "X-Hub-Signature-256";

/// Returns the path that belongs to an object: nobody can guess it who does not know the token.
pub fn path(token: &[u8], kind: &str, namespace: &str, name: &str) -> String {
    let mut mac = sha256(token);
    mac.update(format!("{kind}/{namespace}/{name}").as_bytes());
    format!("/hook/{:x}", mac.finalize().into_bytes())
}

/// Checks that a call comes from who knows the token.
///
/// *Caveats:* Docker Hub and Quay sign nothing. There the unguessable [`path`] is all that is between them and strangers.
pub fn verify(sender: Sender, token: &[u8], call: &Call<'_>) -> Result<(), Error> {
    match sender {
        Sender::Git(WebhookKind::GitHub) | Sender::Registry(ImageWebhookKind::Ghcr) => {
            signed(call, token, &[(HUB_256, Form::Named)])
        }
        Sender::Git(WebhookKind::GitLab) => same(call, token, "X-Gitlab-Token", &[""]),
        Sender::Git(WebhookKind::Gitea) => {
            let places = [
                ("X-Gitea-Signature", Form::Bare),
                ("X-Forgejo-Signature", Form::Bare),
                (HUB_256, Form::Named),
            ];
            signed(call, token, &places)
        }
        Sender::Git(WebhookKind::Bitbucket) => {
            let places = [("X-Hub-Signature", Form::Named), (HUB_256, Form::Named)];
            signed(call, token, &places)
        }
        Sender::Git(WebhookKind::Generic) | Sender::Registry(ImageWebhookKind::Generic) => {
            signed(call, token, &[("X-Signature", Form::Named)])
        }
        Sender::Registry(ImageWebhookKind::Distribution | ImageWebhookKind::Harbor) => {
            same(call, token, "Authorization", &["Bearer ", ""])
        }
        Sender::Registry(ImageWebhookKind::DockerHub | ImageWebhookKind::Quay) => Ok(()),
    }
}

/// How a signature is written.
#[derive(Clone, Copy)]
enum Form {
    /// The hexadecimal digits of HMAC-SHA-256.
    Bare,
    /// The same behind `sha256=`, or HMAC-SHA-512 behind `sha512=`. SHA-1 is not taken any more.
    Named,
}

/// Checks the first signature that is there.
fn signed(call: &Call<'_>, token: &[u8], places: &[(&'static str, Form)]) -> Result<(), Error> {
    let found = places
        .iter()
        .find_map(|(header, form)| Some((*header, *form, call.header(header)?)));
    let Some((header, form, text)) = found else {
        return Err(Error::Unsigned(places.first().map_or("", |place| place.0)));
    };
    let is_right = match (form, text.split_once('=')) {
        (Form::Bare, _) => is_sha256(token, call.body, text),
        (Form::Named, Some(("sha256", digits))) => is_sha256(token, call.body, digits),
        (Form::Named, Some(("sha512", digits))) => is_sha512(token, call.body, digits),
        (Form::Named, _) => false,
    };
    is_right.then_some(()).ok_or(Error::Forged(header))
}

/// Checks that a header is the token, behind one of these prefixes.
fn same(
    call: &Call<'_>,
    token: &[u8],
    header: &'static str,
    prefixes: &[&str],
) -> Result<(), Error> {
    let text = call.header(header).ok_or(Error::Unsigned(header))?;
    let is_token = |text: &str| bool::from(text.as_bytes().ct_eq(token));
    let is_right = prefixes
        .iter()
        .filter_map(|prefix| text.strip_prefix(prefix))
        .any(is_token);
    is_right.then_some(()).ok_or(Error::Forged(header))
}

#[expect(
    clippy::expect_used,
    reason = "the length of an HMAC key is not bounded"
)]
fn sha256(token: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(token).expect("a key of any length will do")
}

fn is_sha256(token: &[u8], body: &[u8], digits: &str) -> bool {
    let mut mac = sha256(token);
    mac.update(body);
    bytes(digits).is_some_and(|signature| mac.verify_slice(&signature).is_ok())
}

fn is_sha512(token: &[u8], body: &[u8], digits: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(token) else {
        return false;
    };
    mac.update(body);
    bytes(digits).is_some_and(|signature| mac.verify_slice(&signature).is_ok())
}

/// Returns the bytes that hexadecimal digits say.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(value(*high)? << 4 | value(*low)?).ok())
        .collect()
}
