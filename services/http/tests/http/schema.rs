//! The OpenAPI document, against the service: schemathesis sends what fits it and what does not.

use std::process::Command;

use parvis_http::{Limits, Rate};

use crate::{server::Server, tools::python};

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_as_its_document_says() {
    let none = Rate::new(u32::MAX, u32::MAX);
    let server = Server::with(|config| {
        config.limits = Limits {
            requests: none,
            joins: none,
            sign_ins: none,
            mails: none,
            rooms: none,
            ..config.limits
        };
    })
    .await;
    let root = server.root().await;
    let seed = match std::env::var("PARVIS_SEED") {
        Ok(seed) => seed,
        Err(_) => std::process::id().to_string(),
    };
    println!("PARVIS_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let mut command: Command = python("schemathesis");
    command
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", server.site))
        .args(["--checks", "all", "--max-examples", "25", "--seed", &seed])
        // One thread: several of them trip over a fault of CPython 3.11 (ast.parse).
        .args(["--workers", "1", "--no-color"])
        // A schema does not say that a domain exists, or that who lasts begins.
        .args(["--exclude-checks", "positive_data_acceptance"])
        // It would end the login that the others use.
        .args(["--exclude-path", "/api/v1/logout"])
        .arg("--header")
        .arg(format!(
            "Authorization: Bearer {}",
            root.token.clone().unwrap()
        ))
        .current_dir(folder.path());
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("passed"), "{text}");
    server.stop().await;
}
