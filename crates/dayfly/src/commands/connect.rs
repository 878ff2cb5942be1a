//! `dayfly connect`.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use dayfly_client::{
    Client, ClientConfig, ConnectError, Event, FileSession, HandshakeError, MemorySession, Obfuscation,
    Proxy, ProxyError, PublicKey, Route, TransportKind, forbid_core_dumps,
};
use dayfly_core::handshake::SpecCheck;
use dayfly_server::utc;
use dayfly_tl::{api, read_exact, to_bytes};
use serde_json::json;

use super::{WrongUsage, runtime};
use crate::args::{Connect, TransportArg};
use crate::report::{Report, counted};

/// What is added to the id of a DC of a test environment.
const TEST: i32 = 10_000;

pub(crate) fn run(args: &Connect) -> anyhow::Result<()> {
    forbid_core_dumps().context("the limit of core dumps cannot be set to zero")?;
    let route = route(args)?;
    let key = dayfly_server::read_public(&args.server_key)?;
    let mut config = ClientConfig::new([key.clone()].into());
    config.dc = args.dc;
    config.expires_in = args.expires_in;
    config.transport = transport(args.transport);
    config.obfuscation = obfuscation(args).into();
    let limit = Duration::from_secs(args.timeout);
    let session = async { tokio::time::timeout(limit, converse(args, route.clone(), config)).await };
    match runtime()?.block_on(session) {
        Ok(outcome) => outcome.map_err(|error| explain(error, args, &route, &key)),
        Err(_) => bail!("no session with {route} within {}", counted(args.timeout, "second")),
    }
}

/// A SOCKS5 proxy is told an address, an MTProxy none.
fn route(args: &Connect) -> anyhow::Result<Route> {
    let proxy: Option<Proxy> = args.proxy.as_ref().map(|text| text.0.parse()).transpose()?;
    match (&args.address, proxy) {
        (Some(address), None) => Ok(address.into()),
        (None, Some(Proxy::Mt(proxy))) => Ok(Route::by_mtproxy(proxy)),
        (Some(_), Some(Proxy::Mt(_))) => {
            Err(WrongUsage::new("an MTProxy finds the DC by --dc: leave the address out").into())
        }
        (Some(address), Some(proxy)) => Ok(Route::from(address).through(proxy)),
        (None, _) => Err(WrongUsage::new("a SOCKS5 proxy needs the server's address too").into()),
    }
}

/// The likeliest mistakes are told what to do about them.
fn explain(error: anyhow::Error, args: &Connect, route: &Route, key: &PublicKey) -> anyhow::Error {
    let untrusted = HandshakeError::PeerMisbehaved(SpecCheck::NoTrustedKey);
    match (error.downcast_ref(), &args.session) {
        (Some(ConnectError::Handshake(handshake)), _) if *handshake == untrusted => anyhow!(
            "the server ({route}) has no RSA key with the fingerprint {} of {}; take the server.pub.pem of its data directory",
            key.fingerprint(),
            args.server_key.display()
        ),
        (Some(ConnectError::OtherDc { saved, configured }), Some(path)) => anyhow!(
            "{}: holds the key of dc {saved}, not of dc {configured}; take --dc {saved}, or another --session for dc {configured}",
            path.display()
        ),
        (Some(ConnectError::Proxy(ProxyError::Full)), _) => WrongUsage::new(
            "an MTProxy takes no full transport: leave --transport out, or take abridged, intermediate or padded",
        )
        .into(),
        _ => error,
    }
}

fn transport(kind: TransportArg) -> TransportKind {
    match kind {
        TransportArg::Abridged => TransportKind::Abridged,
        TransportArg::Intermediate => TransportKind::Intermediate,
        TransportArg::Padded => TransportKind::Padded,
        TransportArg::Full => TransportKind::Full,
    }
}

/// Full has no tag that could stand in an obfuscated init: it is always plain.
fn obfuscation(args: &Connect) -> Obfuscation {
    if args.plain || args.transport == TransportArg::Full { Obfuscation::None } else { Obfuscation::Plain }
}

async fn converse(args: &Connect, route: Route, config: ClientConfig) -> anyhow::Result<()> {
    let mut report = Report::new(args.json);
    let begun = Instant::now();
    let kept = args.session.as_ref().is_some_and(|path| path.exists());
    let (client, mut events) = match &args.session {
        Some(path) => Client::connect(route, config, FileSession::new(path)).await?,
        None => Client::connect(route, config, MemorySession::default()).await?,
    };
    report.title(if kept {
        "The kept permanent key, and a temporary key bound to it"
    } else {
        "Two keys, made in parallel over two connections, and bound"
    });
    while let Some(happened) = events.try_next() {
        tell(&report, happened.at.duration_since(begun), &happened.event);
    }
    report.title("Calls under the temporary key");
    report.restart();
    let dc = show_config(&client, &mut report).await?;
    if dc != args.dc.saturating_abs() % TEST {
        report.note(&format!(
            "the keys were asked of dc {}, and the server says that it is dc {dc}: see --dc",
            args.dc
        ));
    }
    show_nearest_dc(&client, &mut report).await?;
    report.title("In all");
    let sent = client.sent();
    report.step_of(
        begun.elapsed(),
        "done",
        &format!(
            "messages sent under the temporary key: {}; messages sent under the permanent key: {}",
            sent.under_temp, sent.under_perm
        ),
        json!({"under_temp": sent.under_temp, "under_perm": sent.under_perm}),
    );
    Ok(())
}

/// One line for what became of a key.
pub(crate) fn tell(report: &Report, took: Duration, event: &Event) {
    let (name, text, fields) = match event {
        Event::PermKeyMade(saved) => {
            let id = saved.key.id();
            ("perm_key", format!("permanent key {id} made"), json!({"key_id": id.to_string()}))
        }
        Event::TempKeyMade { key, expires_at } => {
            let fields = json!({"key_id": key.to_string(), "expires_at": expires_at});
            ("temp_key", format!("temporary key {key} made, valid until {}", utc(*expires_at)), fields)
        }
        Event::Bound { temp, perm, replaced } => {
            let fields = json!({
                "temp_key_id": temp.to_string(),
                "perm_key_id": perm.to_string(),
                "replaced": replaced.map(|key| key.to_string()),
            });
            ("bound", format!("bound: {temp} speaks for {perm}"), fields)
        }
        Event::TempKeyLost { key } => {
            let text = format!("the server knows temporary key {key} no more (-404): making another one");
            ("temp_key_lost", text, json!({"key_id": key.to_string()}))
        }
        Event::PermKeyLost { key } => {
            let text = format!(
                "the server does not accept permanent key {key}: making another one; the login is gone"
            );
            ("perm_key_lost", text, json!({"key_id": key.to_string()}))
        }
        Event::BindRefused { error } => {
            let error = error.as_ref().map_or_else(|| "not boolTrue".to_owned(), ToString::to_string);
            (
                "bind_refused",
                format!("the binding was refused ({error}): trying again"),
                json!({"error": error}),
            )
        }
        Event::HandshakeFailed { error } => {
            let text = format!("a key exchange failed ({error}): trying again");
            ("handshake_failed", text, json!({"error": error.to_string()}))
        }
        _ => return,
    };
    report.step_of(took, name, &text, fields);
}

/// Gives the number of the DC that the server says it is.
pub(crate) async fn show_config(client: &Client, report: &mut Report) -> anyhow::Result<i32> {
    let bytes = client.invoke_bytes(to_bytes(&api::HelpGetConfig {})).await.context("help.getConfig")?;
    let config: api::Config<'_> = read_exact(&bytes).context("help.getConfig")?;
    let options: Vec<String> = config
        .dc_options
        .iter()
        .map(|dc| format!("dc {} at {}:{}", dc.id, String::from_utf8_lossy(dc.ip_address), dc.port))
        .collect();
    let text = format!("help.getConfig: this is dc {}; {}", config.this_dc, options.join(", "));
    report.step("config", &text, json!({"this_dc": config.this_dc, "dc_options": options}));
    Ok(config.this_dc)
}

pub(crate) async fn show_nearest_dc(client: &Client, report: &mut Report) -> anyhow::Result<()> {
    let bytes =
        client.invoke_bytes(to_bytes(&api::HelpGetNearestDc {})).await.context("help.getNearestDc")?;
    let nearest: api::NearestDc<'_> = read_exact(&bytes).context("help.getNearestDc")?;
    let text = format!("help.getNearestDc: dc {}", nearest.nearest_dc);
    report.step("nearest_dc", &text, json!({"nearest_dc": nearest.nearest_dc, "this_dc": nearest.this_dc}));
    Ok(())
}
