//! Tokens of an identity provider.
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use api::{KeySource, Oidc};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, PublicKeyComponents},
    signature::{self as by, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

use crate::harness::{Hub, Instance, Reply, on_each_database};

const ISSUER: &str = "https://login.example.org";
const AUDIENCE: &str = "capacity-hub";
/// The beginning of 2026, which it is in every test.
const NOW: i64 = 1_767_225_600;
/// An RSA key that signs nothing but the tokens of these tests.
const RSA: &str = "MIIEogIBAAKCAQEA0kBh+F8SoTugrRyG4IqHF7SfYj6t5IAsAbn4CIbrNy6be+cmx+hqRwjh2VGRnuESgJ5i7PYHLIKXJFXWymMlUOKOPGVU9Zz6+mwyaJMr+nnhQQc4qD65HUbv+ul+aiKVsbG3zp6aQ7o6DEMeXsq1mNQAoSow4UGcZtoeovta/90eUMeUwHg+oOX1aOc2X6KNkqMpa6GE6oHEEK+7Wa2u9XAeGJAvqAvDDQvVgQxSKu68/qi6rH8WCUkwjdZDvCDPD+pfCZ+/RAk1Use9JIUQvtnWjOYYXESIvk/hLUrvtyHQDh+pHzD8hX6L4PafsyPAnD07AzKCSAaKxH5SPcLAXwIDAQABAoIBAA2dHJrb8RVeioda/wLABYJL8DwIyfKvN+o+s+g9cDKJAolRzMmJ64PA9/q91NuAQFXyq34jahCAPjAcnMVLCSoFGWeguhETQo7/fX4W9XSI+sReptUCBrN2GejZwJU3uxCf7MJks6FqCAMuP2Os5XhJVecZl8OmH23rdqtf8iL5/KrSy9BbjYwbyXahyip90T3lxBcGbUYkvS/9h2h9vIBqwxSzt+GXi65MvcgjIYhSwevlUvybdDvgxiA1VQvXIv5oIuVsUfeFXlPc7XwpK7N44qy/huIQI/hnLzrtG0GCBYEj3lNqMCPS/4KuXM4Kc4n4rb3ZUsAdKFNPVZ2MrpECgYEA/JiDESlk2rji5V+/78wYcvcZlQ9Ths5djhk2W58RfwIUJ2DObWunkOJCSgghSAbRxEWnBw0sv0enWfwIo9hnkvp7hxTurvT3MwhJefzIwfZKrrL+5IZHx8+9vbnc7F92fMNzr6npbPYRuprrMyGTae1uPJ9dlRSwnQdMP15j9JECgYEA1RXHDfjnqJRY/rJL79anpn6E9xlmf2r1aCU4MjXpMiSw9yRrPnY4QtOt0cLijahsltT722Hhr89bMcF26yNEgsj1v3WRhN8NUAJTeBZaEpkbOjZ+Z9UznppYICBO5zkRAbgVXmYyYev1j1Mks8LOSkpKK3P3KA3JjNMlKwptHe8CgYApjXk6MIILzRBeRVMQwpVfDDEkKUJHUdloD9O2XMOHDjN8ittKesQ0/FOFVDMNYznMvNyON2eeC86G6gQN2AKp1hTOEu50z41+0qUrsR7hcX+1n3J463IRd6Yx+MpUBBw8x/ZW9m+U4iHmfaelYKecbFePF3RQmve2zUWIwyFUUQKBgBciLSEkM6pGqL7GBp58NGlL9Q2KkWkl6Iys9cPlvHJ4L0o1hvsaBJOkvYs3WDc+4MMjTlCL+N+IaIMnWMzAYHC+doeZsPm26ZAVIJC6BH9eZelU/zYwnFEMuqKKP2a0+FaycId2GuQspNUxlpt5e8Hu/Mxo451Smd4TEkbw89W7AoGARXY5LZOyQxqFU5FUuTR0cP1+oRAV6NUhFT0rOK+PjBFza48+mOGqyFXsKwgPD8Pn0OCHyOMt6DnWqoKnoAD7Mg60ZXnJcHCSRO0GCE7AgaeHqa9vfzeUOdZEuiicbzxF6YQtkF5ZsGwUDPIU3u+cfrnxuUNsU/Po7FN5stlAha8=";

/// A key of an identity provider.
enum Key {
    Rsa(Box<RsaKeyPair>),
    Curve(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

impl Key {
    fn rsa() -> Self {
        let key = STANDARD.decode(RSA).unwrap();
        Self::Rsa(Box::new(RsaKeyPair::from_der(&key).unwrap()))
    }

    fn curve() -> Self {
        let (way, random) = (&by::ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(way, &random).unwrap();
        Self::Curve(EcdsaKeyPair::from_pkcs8(way, key.as_ref(), &random).unwrap())
    }

    fn edwards() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Edwards(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Curve(_) => "ES256",
            Self::Edwards(_) => "EdDSA",
        }
    }

    /// What the provider tells of it.
    fn public(&self, name: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match self {
            Self::Rsa(key) => {
                let of = PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({"kty": "RSA", "n": text(&of.n), "e": text(&of.e), "alg": "RS256"})
            }
            Self::Curve(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)})
            }
            Self::Edwards(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(key.public_key().as_ref())})
            }
        };
        key["kid"] = name.into();
        key["use"] = "sig".into();
        key
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&by::RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::Curve(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Edwards(key) => key.sign(message).as_ref().to_vec(),
        }
    }
}

/// A token with those headers and claims, signed in that way.
fn signed(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |of: &Value| URL_SAFE_NO_PAD.encode(of.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A token that the provider gives with the key of that name.
fn given(key: &Key, name: &str, claims: &Value) -> String {
    let header = json!({"alg": key.algorithm(), "kid": name, "typ": "JWT"});
    signed(&header, claims, |message| key.sign(message))
}

/// What the provider says of somebody with that role.
fn claims(role: &str) -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "f3b1|aigerim", "name": "Aigerim",
        "iat": NOW - 60, "exp": NOW + 3600, "roles": ["offline", format!("capacity-hub-{role}")],
    })
}

/// The same, but for that.
fn but(claim: &str, value: Value) -> Value {
    let mut claims = claims("editor");
    claims[claim] = value;
    claims
}

/// Where an identity provider tells its keys.
struct Provider {
    url: String,
    keys: Arc<Mutex<Option<Value>>>,
    asked: Arc<AtomicUsize>,
    server: ServerHandle,
}

impl Provider {
    fn start() -> Self {
        let (keys, asked) = (Arc::<Mutex<Option<Value>>>::default(), Arc::<AtomicUsize>::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let (told, counted) = (keys.clone(), asked.clone());
        let server = HttpServer::new(move || {
            let (told, counted) = (told.clone(), counted.clone());
            let tell = move || {
                counted.fetch_add(1, SeqCst);
                let keys = told.lock().unwrap().clone();
                async move {
                    keys.map_or_else(
                        || HttpResponse::BadGateway().finish(),
                        |keys| HttpResponse::Ok().json(keys),
                    )
                }
            };
            App::new().default_service(web::to(tell))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url, keys, asked, server: handle }
    }

    /// Tells those keys from now on.
    fn tell(&self, keys: &[Value]) {
        *self.keys.lock().unwrap() = Some(json!({"keys": keys}));
    }

    /// An instance that takes its tokens.
    fn trusted(&self, hub: &Hub, roles: &str, pause: Duration) -> Instance {
        hub.another(|settings| {
            settings.oidc = Some(Oidc {
                issuer: ISSUER.to_owned(),
                audience: AUDIENCE.to_owned(),
                keys: KeySource::Address(self.url.parse().unwrap()),
                roles: roles.to_owned(),
                pause,
            });
        })
    }
}

async fn ask(
    hub: &Hub,
    at: &Instance,
    method: &str,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> Reply {
    let url = format!("{}{path}", at.url);
    let request = hub.client.request(method.parse().unwrap(), url).bearer_auth(token);
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    };
    Reply::of(request.send().await.unwrap()).await
}

async fn own(hub: &Hub, at: &Instance, token: &str) -> Reply {
    ask(hub, at, "GET", "/v1/tokens/self", token, None).await
}

#[test]
fn who_is_known_to_the_identity_provider_may_do_what_their_role_may_and_the_log_names_them() {
    on_each_database(async |hub| {
        let (provider, key) = (Provider::start(), Key::curve());
        provider.tell(&[key.public("one")]);
        let at = provider.trusted(&hub, "roles", Duration::ZERO);
        let editor = given(&key, "one", &claims("editor"));
        let topic = json!({"code": "known", "scheme": "own", "label": {"en": "Known"}});
        let made = ask(&hub, &at, "POST", "/v1/topics", &editor, Some(&topic)).await;
        assert_eq!((made.status.as_u16(), &made.json()["state"]), (201, &json!("draft")));
        let history = hub.get_as(&hub.token, "/v1/topics/known/revisions").await.json();
        assert_eq!(history["items"][0]["actor"], "oidc:f3b1|aigerim");
        assert_eq!(history["items"][0]["actor_name"], "oidc:f3b1|aigerim");

        let told = own(&hub, &at, &editor).await.json();
        let expected = json!({
            "id": "oidc:f3b1|aigerim", "name": "Aigerim", "role": "editor", "projects": null,
            "created_at": "2025-12-31T23:59:00Z", "expires_at": "2026-01-01T01:00:00Z",
            "revoked_at": null, "last_used_at": null,
        });
        assert_eq!(told, expected);
        for (role, path, status) in [
            ("viewer", "/v1/topics/known", 200),
            ("registrar", "/v1/participants", 200),
            ("editor", "/v1/participants", 403),
            ("publisher", "/v1/tokens", 403),
            ("admin", "/v1/tokens", 200),
        ] {
            let token = given(&key, "one", &claims(role));
            let reply = ask(&hub, &at, "GET", path, &token, None).await;
            assert_eq!(reply.status, status, "{role} {path}: {}", reply.text);
        }
        // The registry's own tokens hold as ever, and an instance that knows no provider knows none.
        assert_eq!(own(&hub, &at, &hub.token).await.json()["role"], "admin");
        assert_eq!(hub.get_as(&editor, "/v1/tokens/self").await.status, 401);
        at.stop().await;
        provider.server.stop(false).await;
    });
}

#[test]
fn each_way_to_sign_that_providers_use_holds() {
    on_each_database(async |hub| {
        let provider = Provider::start();
        let keys = [Key::rsa(), Key::curve(), Key::edwards()];
        let unusable =
            [json!({"kty": "new", "kid": "new"}), json!({"kty": "oct", "kid": "o", "k": "AA"})];
        let told: Vec<_> =
            keys.iter().map(|key| key.public(key.algorithm())).chain(unusable).collect();
        provider.tell(&told);
        let at = provider.trusted(&hub, "roles", Duration::ZERO);
        for key in &keys {
            let token = given(key, key.algorithm(), &claims("viewer"));
            assert_eq!(own(&hub, &at, &token).await.status, 200, "{}", key.algorithm());
            // Without a name it is the only one of its sort.
            let header = json!({"alg": key.algorithm()});
            let token = signed(&header, &claims("viewer"), |message| key.sign(message));
            assert_eq!(own(&hub, &at, &token).await.status, 200, "{}", key.algorithm());
        }
        at.stop().await;
        provider.server.stop(false).await;
    });
}

#[test]
fn roles_are_found_where_the_provider_has_them() {
    on_each_database(async |hub| {
        let (provider, key) = (Provider::start(), Key::curve());
        provider.tell(&[key.public("one")]);
        let at = provider.trusted(&hub, "realm_access.roles", Duration::ZERO);
        for (roles, role) in [
            (
                json!({"realm_access": {"roles": ["capacity-hub-editor", "capacity-hub-viewer"]}}),
                Some("editor"),
            ),
            (
                json!({"realm_access": {"roles": "openid capacity-hub-registrar"}}),
                Some("registrar"),
            ),
            (json!({"realm_access.roles": ["capacity-hub-publisher"]}), Some("publisher")),
            (
                json!({"realm_access": {"roles": ["capacity-hub-admin", "capacity-hub-registrar"]}}),
                Some("admin"),
            ),
            (
                json!({"realm_access": {"roles": ["capacity-hub-editor", "capacity-hub-registrar"]}}),
                None,
            ),
            (json!({"realm_access": {"roles": ["admin", "editor", "capacity-hub-king"]}}), None),
            (json!({"realm_access": ["capacity-hub-admin"]}), None),
            (json!({"roles": ["capacity-hub-admin"]}), None),
            (json!({}), None),
        ] {
            let mut said = claims("viewer");
            said.as_object_mut().unwrap().remove("roles");
            said.as_object_mut().unwrap().extend(roles.as_object().unwrap().clone());
            let reply = own(&hub, &at, &given(&key, "one", &said)).await;
            match role {
                Some(role) => assert_eq!(reply.json()["role"], role, "{roles}"),
                None => assert_eq!(reply.status, 401, "{roles}"),
            }
        }
        at.stop().await;
        provider.server.stop(false).await;
    });
}

#[test]
fn what_does_not_hold_is_refused_without_a_word_on_why() {
    on_each_database(async |hub| {
        let (provider, key, other) = (Provider::start(), Key::rsa(), Key::curve());
        provider.tell(&[key.public("one"), other.public("other")]);
        let at = provider.trusted(&hub, "roles", Duration::ZERO);
        let with = |claims: &Value| given(&key, "one", claims);
        let good = with(&claims("editor"));
        assert_eq!(own(&hub, &at, &good).await.status, 200);
        // Clocks differ a little.
        for near in [
            but("exp", json!(NOW - 30)),
            but("nbf", json!(NOW + 30)),
            but("exp", json!(1_767_225_600.5)),
        ] {
            assert_eq!(own(&hub, &at, &with(&near)).await.status, 200, "{near}");
        }
        let [header, claim, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let wider = URL_SAFE_NO_PAD.encode(claims("admin").to_string());
        let secret = key.public("one").to_string();
        let by_secret = |message: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message)
                .as_ref()
                .to_vec()
        };
        let mut without_end = claims("editor");
        without_end.as_object_mut().unwrap().remove("exp");
        let mut without_name = claims("editor");
        without_name.as_object_mut().unwrap().remove("sub");
        let mut for_nobody = claims("editor");
        for_nobody.as_object_mut().unwrap().remove("aud");
        let bad = [
            ("its time is over", with(&but("exp", json!(NOW - 120)))),
            ("it has no end", with(&without_end)),
            ("its end is no time", with(&but("exp", json!("2026-01-02")))),
            ("its time has not begun", with(&but("nbf", json!(NOW + 120)))),
            ("another provider", with(&but("iss", json!("https://login.example.com")))),
            ("for somebody else", with(&but("aud", json!(["another", "capacity-hub-2"])))),
            ("for nobody", with(&for_nobody)),
            ("of nobody", with(&without_name)),
            ("of an empty name", with(&but("sub", json!("")))),
            ("of a name with lines", with(&but("sub", json!("a\nb")))),
            ("of a long name", with(&but("sub", json!("a".repeat(256))))),
            ("other claims", format!("{header}.{wider}.{signature}")),
            ("no signature", format!("{header}.{claim}.")),
            ("the key of another", given(&Key::edwards(), "one", &claims("editor"))),
            ("a key of another sort", given(&other, "one", &claims("editor"))),
            ("a key that nobody told of", given(&key, "two", &claims("editor"))),
            ("no algorithm", signed(&json!({"alg": "none"}), &claims("admin"), |_| Vec::new())),
            (
                "a secret",
                signed(&json!({"alg": "HS256", "kid": "one"}), &claims("admin"), by_secret),
            ),
            ("no token", "a.b.c".to_owned()),
            ("nothing", "x".to_owned()),
        ];
        let unknown = own(&hub, &at, "hub_000000000000_x").await.json();
        for (why, token) in bad {
            let reply = own(&hub, &at, &token).await;
            assert_eq!(reply.status, 401, "{why}");
            let mut told = reply.json();
            told["instance"] = unknown["instance"].clone();
            assert_eq!(told, unknown, "{why}");
        }
        at.stop().await;
        provider.server.stop(false).await;
    });
}

#[test]
fn new_keys_are_found_by_the_first_token_that_needs_one_and_known_ones_outlast_the_provider() {
    on_each_database(async |hub| {
        let (provider, old, new) = (Provider::start(), Key::curve(), Key::edwards());
        let at = provider.trusted(&hub, "roles", Duration::ZERO);
        let (first, second) =
            (given(&old, "old", &claims("viewer")), given(&new, "new", &claims("viewer")));
        let early = own(&hub, &at, &first).await;
        assert_eq!((early.status.as_u16(), early.header("retry-after").is_empty()), (503, false));

        provider.tell(&[old.public("old")]);
        assert_eq!(own(&hub, &at, &first).await.status, 200);
        assert_eq!(own(&hub, &at, &second).await.status, 401);
        provider.tell(&[new.public("new")]);
        assert_eq!(own(&hub, &at, &second).await.status, 200);
        assert_eq!(own(&hub, &at, &first).await.status, 401, "its key is not told of any more");

        *provider.keys.lock().unwrap() = None;
        assert_eq!(own(&hub, &at, &first).await.status, 401);
        assert_eq!(own(&hub, &at, &second).await.status, 200, "what is known is known");
        at.stop().await;
        provider.server.stop(false).await;
    });
}

#[test]
fn strangers_do_not_have_the_provider_asked_for_each_token_they_make_up() {
    on_each_database(async |hub| {
        let (provider, key) = (Provider::start(), Key::curve());
        provider.tell(&[key.public("one")]);
        let at = provider.trusted(&hub, "roles", Duration::from_mins(10));
        for name in ["two", "three", "four"] {
            let made_up = given(&key, name, &claims("admin"));
            assert_eq!(own(&hub, &at, &made_up).await.status, 401);
        }
        assert_eq!(own(&hub, &at, &given(&key, "one", &claims("admin"))).await.status, 200);
        assert_eq!(provider.asked.load(SeqCst), 1);
        at.stop().await;
        provider.server.stop(false).await;
    });
}
