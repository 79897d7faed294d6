use std::time::Duration;

/// What was measured.
#[derive(Debug, Default)]
pub struct Rows(Vec<Row>);

#[derive(Debug)]
struct Row {
    name: &'static str,
    figure: f64,
    unit: &'static str,
    /// The most that is wanted; `None`: it is told only.
    target: Option<f64>,
}

impl Rows {
    /// Adds a figure, which should be at most `target`.
    pub fn add(
        &mut self,
        name: &'static str,
        figure: f64,
        unit: &'static str,
        target: Option<f64>,
    ) {
        self.0.push(Row {
            name,
            figure,
            unit,
            target,
        });
    }

    /// Adds a time.
    pub fn add_time(&mut self, name: &'static str, time: Duration, target: Duration) {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        self.add(name, millis(time), "ms", Some(millis(target)));
    }

    /// Whether something is more than wanted.
    pub fn is_short(&self) -> bool {
        self.0.iter().any(Row::is_short)
    }

    /// Prints everything.
    pub fn print(&self, markdown: bool) {
        for row in &self.0 {
            let verdict = if row.is_short() { "short" } else { "ok" };
            let target = row.target.map_or("-".to_owned(), |t| format!("{t:.1}"));
            println!("{verdict} {} {:.1} {target}", row.name, row.figure);
        }
        if markdown {
            println!("\n| What | Measured | Wanted |\n|---|---|---|");
            for Row {
                name,
                figure,
                unit,
                target,
            } in &self.0
            {
                let target = target.map_or(String::new(), |t| format!("≤ {t:.0} {unit}"));
                println!("| {name} | {figure:.1} {unit} | {target} |");
            }
        }
    }
}

impl Row {
    fn is_short(&self) -> bool {
        self.target.is_some_and(|target| self.figure > target)
    }
}

/// The value that so much of all are at most; zero of none.
pub fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let at = (times.len() as f64 * share).ceil() as usize;
    let at = at.saturating_sub(1);
    times.get(at).copied().unwrap_or_default()
}
