//! `dayfly connect`.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use dayfly_client::{
    Client, ClientConfig, Event, FileSession, MemorySession, Obfuscation, TransportKind, forbid_core_dumps,
};
use dayfly_tl::{api, read_exact, to_bytes};
use serde_json::json;

use super::runtime;
use crate::args::{Connect, TransportArg};
use crate::report::Report;

pub(crate) fn run(args: &Connect) -> anyhow::Result<()> {
    forbid_core_dumps().context("the limit of core dumps cannot be set to zero")?;
    let key = dayfly_server::read_public(&args.server_key)?;
    let mut config = ClientConfig::new([key].into());
    config.dc = args.dc;
    config.expires_in = args.expires_in;
    config.transport = transport(args.transport);
    config.obfuscation = obfuscation(args)?.into();
    let limit = Duration::from_secs(args.timeout);
    let session = async { tokio::time::timeout(limit, converse(args, config)).await };
    match runtime()?.block_on(session) {
        Ok(outcome) => outcome,
        Err(_) => bail!("no answer from {} within {} seconds", args.address, args.timeout),
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

/// Full has no tag, so it cannot be told behind an obfuscated init.
fn obfuscation(args: &Connect) -> anyhow::Result<Obfuscation> {
    match (args.transport, args.plain) {
        (_, true) => Ok(Obfuscation::None),
        (TransportArg::Full, false) => bail!("the full transport cannot be obfuscated: add --plain"),
        (_, false) => Ok(Obfuscation::Plain),
    }
}

async fn converse(args: &Connect, config: ClientConfig) -> anyhow::Result<()> {
    let mut report = Report::new(args.json);
    let begun = Instant::now();
    let (client, mut events) = match &args.session {
        Some(path) => Client::connect(&args.address, config, FileSession::new(path)).await?,
        None => Client::connect(&args.address, config, MemorySession::default()).await?,
    };
    while let Some(happened) = events.try_next() {
        tell(&report, happened.at.duration_since(begun), &happened.event);
    }
    report.restart();
    show_config(&client, &mut report).await?;
    show_nearest_dc(&client, &mut report).await?;
    let sent = client.sent();
    report.step_of(
        begun.elapsed(),
        "done",
        &format!(
            "messages sent under the temporary key: {}, under the permanent key: {}",
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
            ("temp_key", format!("temporary key {key} made, ends at Unix second {expires_at}"), fields)
        }
        Event::Bound { temp, perm, replaced } => {
            let fields = json!({
                "temp_key_id": temp.to_string(),
                "perm_key_id": perm.to_string(),
                "replaced": replaced.map(|key| key.to_string()),
            });
            ("bound", format!("{temp} bound to {perm}"), fields)
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

pub(crate) async fn show_config(client: &Client, report: &mut Report) -> anyhow::Result<()> {
    let bytes = client.invoke_bytes(to_bytes(&api::HelpGetConfig {})).await.context("help.getConfig")?;
    let config: api::Config<'_> = read_exact(&bytes).context("help.getConfig")?;
    let options: Vec<String> = config
        .dc_options
        .iter()
        .map(|dc| format!("dc {} at {}:{}", dc.id, String::from_utf8_lossy(dc.ip_address), dc.port))
        .collect();
    let text = format!("help.getConfig: this is dc {}; {}", config.this_dc, options.join(", "));
    report.step("config", &text, json!({"this_dc": config.this_dc, "dc_options": options}));
    Ok(())
}

pub(crate) async fn show_nearest_dc(client: &Client, report: &mut Report) -> anyhow::Result<()> {
    let bytes =
        client.invoke_bytes(to_bytes(&api::HelpGetNearestDc {})).await.context("help.getNearestDc")?;
    let nearest: api::NearestDc<'_> = read_exact(&bytes).context("help.getNearestDc")?;
    let text = format!("help.getNearestDc: dc {}", nearest.nearest_dc);
    report.step("nearest_dc", &text, json!({"nearest_dc": nearest.nearest_dc, "this_dc": nearest.this_dc}));
    Ok(())
}
