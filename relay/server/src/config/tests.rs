use std::{env, fs, process::Command, time::Duration};

use clap::{Args as _, Parser};

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    relay: Args,
}

fn load(flags: &[&str]) -> Result<Config, String> {
    let cli = Cli::try_parse_from([&["relay"], flags].concat()).map_err(|e| e.to_string())?;
    cli.relay.load().map_err(|e| e.to_string())
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = env::temp_dir().join(format!("parvis-relay-{}-{name}.toml", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn nothing_given_is_the_default() {
    assert_eq!(load(&[]), Ok(Config::default()));
    assert_eq!(Config::from_toml("").unwrap(), Config::default());
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let path = file(
        "layers",
        "cache = '1GiB'\nthreads = 3\nqueue-age = '500ms'\n",
    );
    let config = load(&["--config", path.to_str().unwrap(), "--threads", "5"]).unwrap();
    fs::remove_file(path).unwrap();

    assert_eq!(config.threads.get(), 5);
    assert_eq!(config.cache, ByteSize::gib(1));
    assert_eq!(config.queue_age, Duration::from_millis(500));
    assert_eq!(config.queue, Config::default().queue);
}

#[test]
fn the_environment_lies_between_flag_and_file() {
    const CHILD: &str = "PARVIS_RELAY_TEST_CHILD";
    if env::var_os(CHILD).is_none() {
        let path = file(
            "environment",
            "max-sessions = 7\nmax-tracks = 7\nmax-prefixes = 7\n",
        );
        let output = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "config::tests::the_environment_lies_between_flag_and_file",
            ])
            .envs([(CHILD, "1"), ("PARVIS_RELAY_MAX_TRACKS", "8")])
            .envs([
                ("PARVIS_RELAY_MAX_PREFIXES", "8"),
                ("PARVIS_RELAY_CACHE_AGE", "1m 5s"),
            ])
            .env("PARVIS_RELAY_CONFIG", &path)
            .output()
            .unwrap();
        fs::remove_file(path).unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        return;
    }
    let config = load(&["--max-prefixes", "9"]).unwrap();

    assert_eq!(
        (config.max_sessions, config.max_tracks, config.max_prefixes),
        (7, 8, 9)
    );
    assert_eq!(config.cache_age, Duration::from_secs(65));
}

#[test]
fn a_wrong_file_is_refused_in_one_line_that_says_what_and_where() {
    let table = [
        (
            "listn = '[::]:1'",
            "line 1: unknown field `listn`, expected one of `listen`, `cert`",
        ),
        (
            "\ncache = '8 monkeys'",
            "line 2: `8 monkeys` is not a size: write bytes, or a number and a unit",
        ),
        (
            "cache-age = '8'",
            "line 1: `8` is not a duration: write a number and a unit",
        ),
        ("threads = 0", "line 1: "),
        ("listen = 'here'", "line 1: "),
        (
            "log-format = 'xml'",
            "line 1: unknown variant `xml`, expected `text` or `json`",
        ),
        ("max-sessions = -1", "line 1: "),
        ("cache = [", "line 1: "),
    ];
    for (text, expected) in table {
        let error = Config::from_toml(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.len() > 10, "{error}");
    }
}

#[test]
fn a_wrong_flag_is_refused_with_what_is_allowed() {
    let table: &[(&[&str], &str)] = &[
        (
            &["--cert", "a.pem"],
            "`cert` is set and `key` is not: set both",
        ),
        (
            &["--key", "a.pem"],
            "`key` is set and `cert` is not: set both",
        ),
        (
            &["--listen", "0.0.0.0:443"],
            "listening on 0.0.0.0:443 needs `auth-keys`",
        ),
        (
            &["--listen", "[::]:443"],
            "listening on [::]:443 needs `auth-keys`",
        ),
        (
            &["--auth-issuer", "me"],
            "`auth-issuer` is set and `auth-keys` is not",
        ),
        (
            &["--auth-audience", "us"],
            "`auth-audience` is set and `auth-keys` is not",
        ),
        (
            &["--control", "127.0.0.1:1"],
            "`control` is set and `control-secret` is not: set both, or neither",
        ),
        (
            &["--control-secret", "secret"],
            "`control-secret` is set and `control` is not: set both, or neither",
        ),
        (
            &["--control", "0.0.0.0:1", "--control-secret", "secret"],
            "`control` must be a loopback address, 0.0.0.0:1 is not one",
        ),
        (
            &["--auth-least-prefix", "0"],
            "`auth-least-prefix` must be at least 1",
        ),
        (&["--threads", "65"], "`threads` must be from 1 to 64"),
        (
            &["--max-sessions", "0"],
            "`max-sessions` must be at least 1",
        ),
        (
            &["--receive-window", "1KiB"],
            "`receive-window` must be from 64KiB to 1GiB",
        ),
        (
            &["--idle-timeout", "1ms"],
            "`idle-timeout` must be from 1s to 10m",
        ),
        (
            &["--max-subscriptions", "18446744073709551615"],
            "`max-subscriptions` must be at most 1000000",
        ),
        (
            &["--max-prefixes", "1000001"],
            "`max-prefixes` must be at most 1000000",
        ),
        (
            &["--drain", "400000000000y"],
            "`drain` must be at most 1day",
        ),
        (
            &["--cache-age", "400000000000y"],
            "`cache-age` must be at most 1day",
        ),
        (&["--coalesce", "1s"], "`coalesce` must be at most 20ms"),
        (
            &["--config", "/nowhere/relay.toml"],
            "cannot read the configuration /nowhere/relay.toml",
        ),
        (
            &["--drain", "soon"],
            "error: invalid value 'soon' for '--drain <TIME>': `soon` is not a duration",
        ),
    ];
    for (flags, expected) in table {
        let error = load(flags).unwrap_err();
        assert!(error.starts_with(expected), "{flags:?}: {error}");
    }
}

#[test]
fn without_keys_a_relay_is_for_this_machine() {
    for loopback in [
        "127.0.0.1:0",
        "127.8.9.1:443",
        "[::1]:443",
        "[::ffff:127.0.0.1]:443",
    ] {
        assert!(load(&["--listen", loopback]).is_ok(), "{loopback}");
    }
    for listen in [
        "0.0.0.0:0",
        "[::]:443",
        "192.0.2.1:443",
        "[2001:db8::1]:443",
    ] {
        let error = load(&["--listen", listen]).unwrap_err();
        assert!(error.contains("parvis token"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(load(&["--listen", listen, "--auth-keys", "keys.json"]).is_ok());
    }
}

#[test]
fn the_help_tells_every_default_and_every_variable() {
    let command = Options::augment_args(clap::Command::new("relay"));
    let toml = Config::default();
    let debug = format!("{toml:?}");
    for arg in command.get_arguments() {
        let name = arg.get_id().as_str();
        let variable = format!("PARVIS_RELAY_{}", name.to_uppercase());
        assert_eq!(
            arg.get_env().and_then(|v| v.to_str()),
            Some(variable.as_str())
        );
        assert!(
            debug.contains(&format!("{name}: ")),
            "{name} is no field of Config"
        );
        let help = arg.get_help().unwrap().to_string();
        let Some((_, default)) = help.split_once("[default: ") else {
            assert!(["key", "hand_over"].contains(&name), "{name}");
            continue;
        };
        let default = default.trim_end_matches(']');
        let words = [
            "a self",
            "one for",
            "none",
            "no tokens",
            "whoever",
            "nobody",
            "to where",
        ];
        if words.iter().any(|words| default.starts_with(words)) {
            continue;
        }
        let given = load(&[&format!("--{}={default}", name.replace('_', "-"))]).unwrap();
        assert_eq!(given, toml, "the default of {name} is not {default}");
    }
}

#[test]
fn the_operators_page_tells_every_option_and_its_default() {
    let page = include_str!("../../../../docs/relay.md");
    let command = Options::augment_args(clap::Command::new("relay"));
    for arg in command.get_arguments() {
        let name = format!("`{}`", arg.get_id().as_str().replace('_', "-"));
        let row = page
            .lines()
            .find(|line| line.starts_with('|') && line.contains(&name));
        let row = row.unwrap_or_else(|| panic!("no row for {name}"));
        let help = arg.get_help().unwrap().to_string();
        let Some((_, default)) = help.split_once("[default: ") else {
            continue;
        };
        let default = default.trim_end_matches(']');
        let told = row.split('|').nth(2).unwrap().trim();
        assert!(
            told.trim_matches('`') == default || default.contains(' '),
            "{name}: {told} for {default}"
        );
    }
}
