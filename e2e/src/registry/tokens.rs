//! A token server's keys: tokens that distribution checks for itself.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{KeyPair, PKCS_ED25519, SigningKey as _};
use serde_json::{Value, json};

/// Whom the tokens are for.
pub(super) const SERVICE: &str = "e2e-registry";
/// Who gives them.
pub(super) const ISSUER: &str = "e2e-issuer";
/// How long they hold.
const LIFE: Duration = Duration::from_mins(5);

/// Signs tokens.
pub(super) struct Tokens {
    key: KeyPair,
    /// Tokens of earlier generations are refused by the front.
    generation: AtomicU64,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn generate() -> Result<Self> {
        Ok(Self {
            key: KeyPair::generate_for(&PKCS_ED25519).context("generate the token server's key")?,
            generation: AtomicU64::new(1),
        })
    }

    /// The public key as distribution reads it.
    pub(super) fn key_set(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key_raw());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "e2e", "use": "sig", "x": x}]})
    }

    /// Returns a token for one repository.
    pub(super) fn grant(&self, repository: &str, actions: &[&str]) -> Result<String> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .context("read the clock")?
            .as_secs();
        let access = json!([{"type": "repository", "name": repository, "actions": actions}]);
        let claims = json!({
            "iss": ISSUER, "aud": SERVICE, "sub": "", "iat": now, "nbf": now - 10,
            "exp": now + LIFE.as_secs(), "jti": self.generation.load(Ordering::SeqCst).to_string(),
            "access": access,
        });
        let header = json!({"typ": "JWT", "alg": "EdDSA", "kid": "e2e"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(signed.as_bytes()).context("sign a token")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// What a token server answers.
    pub(super) fn answer(&self, repository: &str) -> Result<Value> {
        let token = self.grant(repository, &["pull"])?;
        Ok(json!({"token": token, "expires_in": LIFE.as_secs()}))
    }

    /// Declares what was given so far void.
    pub(super) fn void(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Tells whether an `Authorization` header holds a token that was declared void.
    pub(super) fn is_void(&self, authorization: &str) -> bool {
        let claims = authorization
            .strip_prefix("Bearer ")
            .and_then(|token| token.split('.').nth(1))
            .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let generation = self.generation.load(Ordering::SeqCst).to_string();
        claims.is_some_and(|claims| claims.get("jti").is_some_and(|id| *id != generation))
    }
}
