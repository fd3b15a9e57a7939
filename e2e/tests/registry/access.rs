//! Who is let in, how, and to whom credentials are shown.

use flux_e2e::registry::{Auth, Conduct, Door, IDENTITY_TOKEN, PASSWORD};
use flux_engine::registry::{Access, Error, Login};

use crate::setting::{Setting, client, data, everyone, jane, password};

#[tokio::test]
async fn an_open_registry_needs_nothing_and_is_shown_nothing() {
    let setting = Setting::open().await;
    setting.is_open_to(&jane()).await;
    let shown = setting.registry.requests();
    assert!(
        shown.iter().all(|seen| seen.authorization.is_none()),
        "{shown:?}"
    );
}

#[tokio::test]
async fn plain_http_has_to_be_asked_for() {
    let setting = Setting::open().await;
    let error = setting.refusal(&Access::anonymous()).await;
    assert!(
        matches!(error, Error::Tls { .. } | Error::Connect { .. }),
        "{error}"
    );
    assert_eq!(setting.asked(), [""; 0]);
}

#[tokio::test]
async fn a_password_opens_a_registry_that_wants_one() {
    let setting = Setting::closed(Auth::Password, Door::Http).await;
    setting.is_open_to(&jane()).await;
    assert_eq!(
        setting.asked().len(),
        2,
        "one look, one page: {:?}",
        setting.asked()
    );
    let error = setting.refusal(&everyone()).await;
    assert!(
        matches!(error, Error::Unauthorized { .. }) && error.to_string().contains("spec.secretRef"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_password_is_shown_once_and_never_printed() {
    for auth in [Auth::Password, Auth::Token] {
        let setting = Setting::closed(auth, Door::Http).await;
        let error = setting
            .refusal(&everyone().with_login(password("hunter2")))
            .await;
        assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let requests = setting.registry.requests();
        let shown = requests.iter().filter(|seen| seen.authorization.is_some());
        assert_eq!(shown.count(), 1, "{requests:?}");
    }
}

#[tokio::test]
async fn a_docker_config_opens_the_registry_that_it_names() {
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    let config = setting.registry.docker_config();
    let access = Access::from_docker_config(config.as_bytes(), &setting.name()).unwrap();
    setting.is_open_to(&access.insecure(true)).await;
}

#[tokio::test]
async fn a_token_is_got_with_a_password_and_the_password_goes_nowhere_else() {
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    setting.is_open_to(&jane()).await;
    for seen in setting.registry.requests() {
        let expected = match seen.path.as_str() {
            "/v2/" => None,
            path if path.starts_with("/token?") => Some("Basic"),
            _ => Some("Bearer"),
        };
        assert_eq!(seen.authorization.as_deref(), expected, "{}", seen.path);
    }
    let asked = setting.asked();
    assert!(
        asked
            .iter()
            .any(|line| line.contains("scope=repository%3Ateam%2Fapp%3Apull")
                && line.contains("service=e2e-registry")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_identity_token_gets_tokens_too() {
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    let identity = everyone().with_login(Login::Identity(IDENTITY_TOKEN.to_owned()));
    setting.is_open_to(&identity).await;
    assert_eq!(setting.count("POST /token"), 1);
    let wrong = everyone().with_login(Login::Identity("hunter2".to_owned()));
    let error = setting.refusal(&wrong).await;
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn nobody_gets_tokens_for_what_is_public() {
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    setting.registry.mirror("team/app", ["public/app"]).unwrap();
    let name = setting.named("public/app");
    assert!(setting.client.tags(&name, &everyone()).await.is_ok());
    let error = setting.refusal(&everyone()).await;
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn a_token_that_became_void_is_replaced() {
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    setting.is_open_to(&jane()).await;
    setting.registry.void_tokens();
    setting.is_open_to(&jane()).await;
    assert_eq!(setting.count("/token"), 2);
}

#[tokio::test]
async fn a_registry_may_want_another_token_than_one_to_pull() {
    // As Azure's does for lists of tags.
    let setting = Setting::closed(Auth::Token, Door::Http).await;
    let realm = setting.registry.token_server();
    let challenge = format!(
        r#"Bearer realm="{realm}",service="e2e-registry",scope="repository:team/app:metadata_read""#
    );
    let conduct = Conduct::Challenging(challenge);
    setting.registry.set_conduct_of("/tags/list", conduct);
    let error = setting.refusal(&jane()).await;
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert_eq!(setting.count("%3Apull"), 1);
    assert_eq!(setting.count("%3Ametadata_read"), 1);
    assert_eq!(
        setting.count("/tags/list"),
        2,
        "it is asked again with that token"
    );
}

#[tokio::test]
async fn tls_needs_the_authority_of_the_registry() {
    let setting = Setting::closed(Auth::Token, Door::Https).await;
    let jane = Access::anonymous().with_login(password(PASSWORD));
    let error = setting.refusal(&jane).await;
    assert!(
        matches!(error, Error::Tls { .. }) && error.to_string().contains("ca.crt"),
        "{error:?}"
    );
    let access = jane.with_certificates(&setting.authority()).unwrap();
    setting.is_open_to(&access).await;
}

#[tokio::test]
async fn a_client_certificate_opens_a_registry_that_wants_one() {
    let setting = Setting::closed(Auth::Token, Door::Mutual).await;
    let jane = Access::anonymous().with_login(password(PASSWORD));
    let without = jane
        .clone()
        .with_certificates(&setting.authority())
        .unwrap();
    assert!(setting.tags(&without).await.is_err());
    let identity = setting.registry.client_identity("controller").unwrap();
    let secret = data(&[
        ("ca.crt", setting.registry.authority()),
        ("tls.crt", &identity.certificate),
        ("tls.key", &identity.key),
    ]);
    setting
        .is_open_to(&jane.with_certificates(&secret).unwrap())
        .await;
}

#[tokio::test]
async fn a_token_server_without_tls_is_not_asked_by_a_registry_with_tls() {
    let (setting, other) = (
        Setting::closed(Auth::Open, Door::Https).await,
        Setting::open().await,
    );
    other.registry.forget_requests();
    let realm = format!("Bearer realm=\"http://{}/token\"", other.registry.host());
    setting.registry.set_conduct(Conduct::Challenging(realm));
    let access = Access::anonymous()
        .with_login(password("hunter2"))
        .with_certificates(&setting.authority())
        .unwrap();
    let error = setting.refusal(&access).await;
    assert!(
        matches!(error, Error::Redirect { .. }) && error.to_string().contains("token server"),
        "{error}"
    );
    assert_eq!(other.asked(), [""; 0]);
}

#[tokio::test]
async fn a_redirect_is_followed_without_credentials() {
    let (setting, other) = (
        Setting::closed(Auth::Password, Door::Http).await,
        Setting::open().await,
    );
    other.registry.forget_requests();
    let elsewhere = format!("http://{}/v2/team/app/tags/list", other.registry.host());
    setting
        .registry
        .set_conduct_of("/tags/list", Conduct::Redirecting(elsewhere));
    setting.is_open_to(&jane()).await;
    let shown = other.registry.requests();
    assert_eq!(shown.len(), 1);
    assert!(
        shown.iter().all(|seen| seen.authorization.is_none()),
        "{shown:?}"
    );
}

#[tokio::test]
async fn another_server_cannot_ask_for_credentials() {
    for challenge in ["Basic realm=\"mine\"", "Bearer realm=\"http://HOST/token\""] {
        let (setting, other) = (
            Setting::closed(Auth::Password, Door::Http).await,
            Setting::open().await,
        );
        other.registry.forget_requests();
        let host = other.registry.host();
        let conduct = Conduct::Challenging(challenge.replace("HOST", &host));
        other.registry.set_conduct(conduct);
        let elsewhere = Conduct::Redirecting(format!("http://{host}/v2/team/app/tags/list"));
        setting.registry.set_conduct_of("/tags/list", elsewhere);
        let error = setting.refusal(&jane()).await;
        assert!(
            matches!(&error, Error::Unauthorized { host: refusing, .. } if *refusing == host),
            "{error}"
        );
        let shown = other.registry.requests();
        assert_eq!(shown.len(), 1);
        assert!(shown.iter().all(|seen| seen.authorization.is_none()));
    }
}

#[tokio::test]
async fn redirects_end() {
    let setting = Setting::open().await;
    let again = Conduct::Redirecting("/v2/team/app/tags/list".to_owned());
    setting.registry.set_conduct_of("/tags/list", again);
    let error = setting.refusal(&everyone()).await;
    assert!(error.to_string().contains("too many redirects"), "{error}");
}

#[tokio::test]
async fn what_one_client_learned_of_tls_says_nothing_of_another() {
    let setting = Setting::closed(Auth::Password, Door::Https).await;
    let jane = Access::anonymous().with_login(password(PASSWORD));
    let trusting = jane
        .clone()
        .with_certificates(&setting.authority())
        .unwrap();
    setting.is_open_to(&trusting).await;
    let error = setting.refusal(&jane).await;
    assert!(matches!(error, Error::Tls { .. }), "{error}");
    let stranger = client().tags(&setting.name(), &trusting).await;
    assert!(stranger.is_ok());
}
