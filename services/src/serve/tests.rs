use clap::Args;

use super::ServeArgs;

#[test]
fn the_operators_page_tells_every_flag() {
    let page = include_str!("../../../docs/services.md");
    let command = ServeArgs::augment_args(clap::Command::new("serve"));
    for arg in command.get_arguments() {
        let flag = format!("`--{}`", arg.get_long().expect("every argument is a flag"));
        let is_row = |line: &str| line.starts_with('|') && line.contains(&flag);
        assert!(page.lines().any(is_row), "no row for {flag}");
    }
}
