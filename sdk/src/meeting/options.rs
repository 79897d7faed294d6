use std::{path::PathBuf, time::Duration};

use parvis_wire::Draft;

use super::{RelayAddress, TicketSource};
use crate::{Codecs, Trust};

/// How to join a meeting.
#[derive(Debug, Clone)]
pub struct JoinOptions {
    /// The display name, 1 to 50 characters.
    pub name: String,
    /// A stable random id of this device: a guest is known by it.
    pub device: String,
    /// The site of a bare code, such as `https://meet.example`.
    pub site: Option<String>,
    /// Where tickets come from.
    pub tickets: TicketSource,
    /// Whose certificate is accepted of the relay; `None`: the ticket says it.
    pub trust: Option<Trust>,
    /// The PEM file of the authority that signed the certificates of the site, and of a relay whose
    /// fingerprint the ticket does not name; `None`: a public one.
    pub authority: Option<PathBuf>,
    /// The drafts offered, preferred first.
    pub drafts: Vec<Draft>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a connection that was lost is tried to be replaced.
    pub reconnect: Duration,
    /// How long a command waits for its answer, and is said again; longer than a connection takes to
    /// be replaced.
    pub command_timeout: Duration,
    /// Whether others' cameras, one's own screen and camera are given up step by step when the network
    /// is short, as [`StepDown`](super::StepDown) has it.
    pub step_down: bool,
    /// Video codecs of the platform, tried before the built-in ones.
    pub codecs: Codecs,
}

impl JoinOptions {
    /// Joins under that name, as a guest.
    pub fn new(name: impl Into<String>, device: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            device: device.into(),
            site: None,
            tickets: TicketSource::guest(),
            trust: None,
            authority: None,
            drafts: Draft::ALL.to_vec(),
            connect_timeout: Duration::from_secs(5),
            reconnect: Duration::from_mins(2),
            command_timeout: Duration::from_secs(30),
            step_down: true,
            codecs: Codecs::default(),
        }
    }

    /// With another source of tickets.
    pub fn with_tickets(self, tickets: TicketSource) -> Self {
        Self { tickets, ..self }
    }

    /// With video codecs of the platform.
    pub fn with_codecs(self, codecs: Codecs) -> Self {
        Self { codecs, ..self }
    }

    /// With the site of a bare code.
    pub fn with_site(self, site: impl Into<String>) -> Self {
        Self {
            site: Some(site.into()),
            ..self
        }
    }

    /// With an authority of one's own that signs certificates.
    pub fn with_authority(self, file: impl Into<PathBuf>) -> Self {
        Self {
            authority: Some(file.into()),
            ..self
        }
    }

    /// Whose certificate is accepted of the relay that a ticket leads to.
    pub(super) fn trust_in(&self, relay: &RelayAddress) -> Trust {
        let by_ticket = || relay.fingerprint.clone().map(Trust::Fingerprint);
        let by_authority = || self.authority.clone().map(Trust::AuthorityFile);
        let trust = self.trust.clone().or_else(by_ticket);
        trust.or_else(by_authority).unwrap_or_default()
    }
}
