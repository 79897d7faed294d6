//! Whether a meeting can be joined from here, and how well.

use std::{path::PathBuf, time::Duration};

use anyhow::bail;
use clap::Args;
use parvis::{
    Trust,
    codec::Bitrate,
    meeting::{Capacity, ConnectionReport, JoinOptions, Meeting, TransportReport},
};
use serde_json::{Value, json};

use crate::{
    join::{device_id, explain},
    output::Output,
};

/// What `parvis check` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// The meeting's link, or its code with --site
    #[arg(value_name = "LINK")]
    pub room: String,
    /// The meeting service of a bare code, as in https://meet.example
    #[arg(long, value_name = "URL", env = "PARVIS_SITE")]
    pub site: Option<String>,
    /// Trust the relay's certificate that the authority in this PEM file signed
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Trust a service whose certificate the authority in this PEM file signed, and its relay
    #[arg(long = "site-ca", value_name = "FILE", env = "PARVIS_SITE_CA")]
    pub site_ca: Option<PathBuf>,
    /// How long connecting may take
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  parvis check https://meet.example/abc-defg-hij
  parvis check abc-defg-hij --site https://meet.example --json";

/// The name of the ticket, which nobody sees: there is no knock.
const NAME: &str = "Connection test";

/// Tries the way to a meeting; an error: it cannot be joined from here.
pub async fn run(args: CheckArgs, output: &Output) -> anyhow::Result<()> {
    let mut options = JoinOptions::new(NAME, device_id()?);
    options.site.clone_from(&args.site);
    options.trust = args.ca.map(Trust::AuthorityFile);
    options.authority = args.site_ca;
    options.connect_timeout = args.timeout;
    let report = Meeting::test_connection(&args.room, options)
        .await
        .map_err(|error| explain(error, &args.room))?;
    let took = milliseconds(report.service);
    output.event(
        "service",
        &format!("The meeting service gave a ticket in {took:.0} ms"),
        &json!({ "ticket_ms": took }),
    );
    for transport in &report.transports {
        let (text, fields) = told(transport);
        output.event("transport", &text, &fields);
    }
    verdict(&report)
}

fn told(report: &TransportReport) -> (String, Value) {
    let TransportReport {
        transport,
        url,
        found,
    } = report;
    let path = match found {
        Ok(path) => path,
        Err(error) => {
            let text = format!("{transport:?}: {error}").replace(char::is_control, " ");
            let error = error.to_string();
            let fields =
                json!({ "transport": format!("{transport:?}"), "url": url, "error": error });
            return (text, fields);
        }
    };
    let (handshake, rtt) = (milliseconds(path.handshake), milliseconds(path.rtt));
    let answer = path.answer.map(milliseconds);
    let answers = match answer {
        Some(answer) => format!("the meeting answers in {answer:.1} ms"),
        None => "the meeting does not answer".to_owned(),
    };
    let carries = match path.capacity {
        Some(Capacity { up, down }) => format!("it carries {up} up and {down} down"),
        None => "how much it carries is not known".to_owned(),
    };
    let kbps = |rate: fn(Capacity) -> Bitrate| path.capacity.map(|c| rate(c).as_bps() / 1000);
    let text = format!(
        "{transport:?}: connected in {handshake:.0} ms, round trip {rtt:.1} ms, {:.1} % lost, {answers}, {carries}",
        path.loss * 100.0
    );
    let fields = json!({
        "transport": format!("{transport:?}"),
        "url": url,
        "draft": path.draft.number(),
        "handshake_ms": handshake,
        "rtt_ms": rtt,
        "loss": path.loss,
        "answer_ms": answer,
        "unanswered": path.unanswered,
        "up_kbps": kbps(|capacity| capacity.up),
        "down_kbps": kbps(|capacity| capacity.down),
    });
    (text, fields)
}

fn verdict(report: &ConnectionReport) -> anyhow::Result<()> {
    let Some(first) = report.transports.first() else {
        bail!("there is no relay to connect to");
    };
    match &first.found {
        Ok(path) if path.answer.is_some() => Ok(()),
        Ok(_) => bail!("the relay is reached, and the meeting does not answer"),
        Err(error) => bail!("the relay is not reached: {error}"),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
