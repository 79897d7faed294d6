use std::fmt::Write as _;

/// One case that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The other implementation, with its version.
    pub peer: &'static str,
    /// Drafts and direction, for people.
    pub setting: &'static str,
    /// The case's name.
    pub name: String,
    /// What came of it: `Err` says what went wrong.
    pub outcome: Result<(), String>,
}

/// A case that does not pass, and why.
pub struct Known {
    /// The case's name.
    pub name: &'static str,
    /// Whose fault it is and how it shows.
    pub reason: &'static str,
}

/// What a peer does otherwise than the draft says, and what we do about it.
#[derive(Clone, Copy)]
pub struct Difference {
    /// The other implementation, with its version.
    pub peer: &'static str,
    /// What it sends, in hexadecimal digits, or does.
    pub bytes: &'static str,
    /// What that means, what the draft wants, and what comes of it.
    pub meaning: &'static str,
}

/// The cases of this run that are worth a stop: failures that are not known, and known failures
/// that pass.
pub fn surprises(cases: &[Case], known: &[Known]) -> Vec<String> {
    let mut found = Vec::new();
    for case in cases {
        let known = known.iter().find(|known| known.name == case.name);
        match (&case.outcome, known) {
            (Err(error), None) => found.push(format!("{} ({}): {error}", case.name, case.peer)),
            (Ok(()), Some(_)) => {
                found.push(format!("{} passes and is listed as failing", case.name));
            }
            _ => {}
        }
    }
    found
}

/// The document that a run leaves.
pub fn markdown(cases: &[Case], known: &[Known], differences: &[Difference]) -> String {
    let mut text = String::from(
        "# Interoperability\n\n\
         Written by `make interop-write`; `make interop`, a part of `make test`, fails when a run differs.\n\n",
    );
    let passed = cases.iter().filter(|case| case.outcome.is_ok()).count();
    let _ = writeln!(text, "{passed} of {} cases pass.\n", cases.len());
    let mut peers: Vec<&str> = Vec::new();
    for case in cases {
        if !peers.contains(&case.peer) {
            peers.push(case.peer);
        }
    }
    for peer in peers {
        let of_peer: Vec<&Case> = cases.iter().filter(|case| case.peer == peer).collect();
        let passed = of_peer.iter().filter(|case| case.outcome.is_ok()).count();
        let _ = writeln!(
            text,
            "## {peer}\n\n{}. {passed} of {}.\n",
            of_peer[0].setting,
            of_peer.len()
        );
        text.push_str("| Case | Result |\n|---|---|\n");
        for case in of_peer {
            let result = match (&case.outcome, known.iter().find(|k| k.name == case.name)) {
                (Ok(()), _) => "passes".to_owned(),
                (Err(_), Some(known)) => format!("**fails**: {}", known.reason),
                (Err(error), None) => format!("**fails**: {error}"),
            };
            let _ = writeln!(text, "| `{}` | {result} |", case.name);
        }
        text.push('\n');
        let of_peer = differences
            .iter()
            .filter(|difference| difference.peer == peer);
        for Difference { bytes, meaning, .. } in of_peer {
            let _ = writeln!(text, "Differs: `{bytes}`. {meaning}\n");
        }
    }
    text
}
