//! What meetings need besides the store.

use std::{net::SocketAddr, time::Duration};

use parvis_authority::Connection;
use parvis_http::ReadyCheck;
use ureq::Agent;

use super::here;

/// Longer than the relay waits for its threads.
const PATIENCE: Duration = Duration::from_secs(4);

/// The relay, by its pages, and the authority's session at it.
pub(super) fn needs(pages: SocketAddr, authority: Connection) -> Vec<ReadyCheck> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into();
    let relay = ReadyCheck::new(move || {
        let agent = agent.clone();
        async move {
            let asking = tokio::task::spawn_blocking(move || relay_problem(&agent, here(pages)));
            let problem = asking.await.unwrap_or_else(|error| Some(error.to_string()));
            problem.map_or(Ok(()), |problem| Err(format!("the relay: {problem}")))
        }
    });
    let authority = ReadyCheck::new(move || {
        let problem = authority.problem();
        async move { problem.map_or(Ok(()), Err) }
    });
    vec![relay, authority]
}

/// Whether its threads answer, and it takes newcomers.
fn relay_problem(agent: &Agent, pages: SocketAddr) -> Option<String> {
    ["healthz", "readyz"].into_iter().find_map(|page| {
        let answer = agent.get(format!("http://{pages}/{page}")).call();
        match answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(mut answer) => {
                let said = answer.body_mut().with_config().limit(1024).read_to_string();
                Some(said.unwrap_or_default().trim().to_owned())
            }
            Err(error) => Some(error.to_string()),
        }
    })
}
