use clap::{Args, ValueEnum};
use serde_json::json;

use super::{code, word};
use crate::{api::SiteArgs, output::Output};

/// What `parvis room role` takes.
#[derive(Debug, Args)]
pub struct RoleArgs {
    /// The service.
    #[command(flatten)]
    pub site: SiteArgs,
    /// The room's code or link
    #[arg(value_name = "CODE")]
    pub room: String,
    /// The address of somebody's account; without it the roles are listed
    #[arg(value_name = "ADDRESS", requires = "role")]
    pub email: Option<String>,
    /// Which; guest: none any more
    #[arg(value_enum)]
    pub role: Option<RoleArg>,
}

/// A role on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Whose room it is
    Owner,
    /// Moderates it
    Administrator,
    /// Enters a restricted room
    Member,
    /// Has no role
    Guest,
}

/// Lists roles, or gives one.
pub(super) fn run(args: &RoleArgs, output: &Output) -> anyhow::Result<()> {
    let api = args.site.signed_in()?;
    let path = format!("/api/v1/rooms/{}/roles", code(&args.room)?);
    let given = args.email.as_ref().zip(args.role.as_ref());
    let roles = if let Some((email, role)) = given {
        let body = json!({ "email": email, "role": word(role) });
        vec![api.send("PUT", &path, &body)?]
    } else {
        let list = api.get(&path)?;
        list["roles"].as_array().cloned().unwrap_or_default()
    };
    for role in roles {
        let field = |name: &str| role[name].as_str().unwrap_or_default();
        let text = format!("{}  {}  {}", field("role"), field("email"), field("name"));
        output.event("role", &text.replace(char::is_control, " "), &role);
    }
    Ok(())
}
