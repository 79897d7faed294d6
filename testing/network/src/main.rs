//! Prints what is left of a call on bad networks: a table, and `ok|short ROW FIGURE TARGET`.

use std::time::Duration;

use clap::Parser;
use parvis_network::{Figure, rows};

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// Runs of each row, each with another seed.
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// How long a run of a row of loss is, in seconds of the call.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only rows whose name contains this.
    #[arg(long, default_value = "")]
    row: String,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let mut verdicts = Vec::new();
    println!("| Network | Sound in time | Longest gap | Video | To the subscriber | Else |");
    println!("|---|---|---|---|---|---|");
    for row in rows().iter().filter(|row| row.name.contains(&cli.row)) {
        let figures = row.run(cli.seeds, Duration::from_secs(cli.seconds))?;
        println!("| {} | {} |", row.about, cells(&figures).join(" | "));
        for figure in &figures {
            let Some((value, target, is_met)) = figure.verdict() else {
                continue;
            };
            let verdict = if is_met { "ok" } else { "short" };
            let name = figure
                .name
                .rsplit_once(' ')
                .map_or(figure.name, |(name, _)| name);
            let name = name.replace(' ', "-");
            verdicts.push(format!(
                "{verdict} {}/{name} {value:.1} {target:.1}",
                row.name
            ));
        }
    }
    println!("\n{}", verdicts.join("\n"));
    Ok(())
}

fn cells(figures: &[Figure]) -> Vec<String> {
    let columns = ["sound %", "gap ms", "video %", "kbit/s"];
    let find = |name| figures.iter().find(|figure| figure.name == name);
    let mut cells: Vec<String> = columns
        .into_iter()
        .map(|name| find(name).map(cell).unwrap_or_default())
        .collect();
    let others = figures.iter().filter(|f| !columns.contains(&f.name));
    let others: Vec<String> = others
        .map(|figure| format!("{}: {}", figure.name, cell(figure)))
        .collect();
    cells.push(others.join(", "));
    cells
}

/// Median and worst, if they differ.
fn cell(figure: &Figure) -> String {
    let digits = usize::from(figure.name.ends_with('%'));
    let [median, worst] = [figure.median(), figure.worst()].map(|v| format!("{v:.digits$}"));
    if median == worst {
        median
    } else {
        format!("{median}, worst {worst}")
    }
}
