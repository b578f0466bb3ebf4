//! Delivers what webhooks are to be told, as Standard Webhooks say.
use std::{error::Error as _, sync::Arc, time::Duration};

use actix_web::rt;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use persistence::{Claim, Delivery, Error, Outcome, Store};
use reqwest::{Client, header, redirect::Policy};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    sync::{Semaphore, watch},
    time::sleep,
};
use url::Url;
use uuid::Uuid;

use crate::{
    address::{Private, PublicOnly, names_private},
    changes::Change,
};

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// For how long a webhook is this instance's; longer than an attempt can take.
const LEASE: TimeDelta = TimeDelta::seconds(40);
/// How often it is looked for deliveries whose time has come.
const LOOK: Duration = Duration::from_secs(1);
/// How many webhooks are told at the same time.
const AT_ONCE: u32 = 32;

/// What delivers.
struct Courier {
    store: Store,
    client: Client,
    to_private: bool,
    stopping: watch::Receiver<bool>,
}

/// Delivers until the service stops; what has been begun then is finished.
pub(crate) async fn deliver(store: Store, to_private: bool, mut stopping: watch::Receiver<bool>) {
    let client = match client(to_private) {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "webhooks will not be told of anything");
            return;
        }
    };
    let mut news = store.pulse().news();
    let courier = Arc::new(Courier { store, client, to_private, stopping: stopping.clone() });
    let (me, places) = (Uuid::now_v7(), Arc::new(Semaphore::new(AT_ONCE as usize)));
    while !*stopping.borrow() {
        news.mark_unchanged();
        if let Err(error) = courier.hand_out(me, &places).await {
            tracing::warn!(%error, "webhooks cannot be told at the moment");
        }
        tokio::select! {
            _ = news.changed() => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
            () = sleep(LOOK) => {}
        }
    }
    // Every place is free when nobody is on the way any more.
    let _ = places.acquire_many(AT_ONCE).await;
}

/// What asks other services; of those that are not public, only where that is allowed.
pub(crate) fn client(to_private: bool) -> reqwest::Result<Client> {
    // Another part of the program may have chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("capacity-hub/", env!("CARGO_PKG_VERSION")));
    if to_private { client } else { client.dns_resolver(PublicOnly) }.build()
}

impl Courier {
    /// Sends somebody for each webhook that has something to be told.
    async fn hand_out(self: &Arc<Self>, me: Uuid, places: &Arc<Semaphore>) -> Result<(), Error> {
        while let Ok(place) = places.clone().try_acquire_owned() {
            let Some(claim) = self.store.claim_webhook(me, LEASE).await? else { break };
            let courier = self.clone();
            rt::spawn(async move {
                if let Err(error) = courier.tell(&claim).await {
                    tracing::warn!(%error, webhook = %claim.hook.id, "a webhook has to wait");
                }
                if let Err(error) = courier.store.release_webhook(&claim).await {
                    tracing::warn!(%error, webhook = %claim.hook.id, "a webhook stays taken");
                }
                drop(place);
            });
        }
        Ok(())
    }

    /// Tells a webhook all that is due, one after the other.
    async fn tell(&self, claim: &Claim) -> Result<(), Error> {
        loop {
            let more = self.store.plan_deliveries(claim).await?;
            while let Some(delivery) = self.store.due_delivery(claim).await? {
                let stop = *self.stopping.borrow();
                if stop || !self.store.keep_webhook(claim, LEASE).await? {
                    return Ok(());
                }
                let outcome = self.send(claim, &delivery).await?;
                let (webhook, delivery_id) = (claim.hook.id, delivery.id);
                match outcome {
                    Outcome::Answered(200..300) => tracing::info!(%webhook, %delivery_id, "told"),
                    outcome => tracing::warn!(
                        %webhook, %delivery_id, ?outcome, "a webhook is not reached"
                    ),
                }
                self.store.note_attempt(&delivery, outcome).await?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    async fn send(&self, claim: &Claim, delivery: &Delivery) -> Result<Outcome, Error> {
        let body = self.body(delivery).await?.to_string();
        let Ok(url) = Url::parse(claim.hook.body.url.as_str()) else {
            return Ok(Outcome::Failed("invalid_address"));
        };
        if !self.to_private && names_private(&url) {
            return Ok(Outcome::Failed("private_address"));
        }
        let id = delivery.id.to_string();
        let timestamp = self.store.now().timestamp().to_string();
        let Some(signature) = signature(&claim.secret, &id, &timestamp, &body) else {
            return Ok(Outcome::Failed("invalid_secret"));
        };
        let request = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body);
        Ok(match request.send().await {
            Ok(answer) => Outcome::Answered(answer.status().as_u16()),
            Err(error) => Outcome::Failed(reason(&error)),
        })
    }

    /// What a delivery says.
    async fn body(&self, delivery: &Delivery) -> Result<Value, Error> {
        let change = self.store.change_of(delivery).await?.map(Change::from);
        let at = change.as_ref().map_or(delivery.created_at, Change::at);
        let data = change.map_or_else(|| json!({}), |change| json!(change));
        Ok(json!({"type": delivery.event, "timestamp": at, "data": data}))
    }
}

fn reason(error: &reqwest::Error) -> &'static str {
    let mut cause = error.source();
    while let Some(one) = cause {
        if one.is::<Private>() {
            return "private_address";
        }
        cause = one.source();
    }
    if error.is_timeout() { "timed_out" } else { "not_reached" }
}

fn signature(secret: &str, id: &str, timestamp: &str, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}
