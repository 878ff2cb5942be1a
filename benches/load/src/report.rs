//! What was measured, for people and for programs.

use serde_json::{Value, json};

use crate::process;

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Nobody asked for a number; it is told.
    None,
}

/// One measured number.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// What it is.
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: Target,
    /// How it was measured, and what else was seen.
    pub(crate) note: String,
}

impl Figure {
    pub(crate) fn met(&self) -> bool {
        match self.target {
            Target::AtLeast(least) => self.value >= least,
            Target::AtMost(most) => self.value <= most,
            Target::None => true,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.target {
            Target::None => "",
            _ if self.met() => "met",
            _ => "MISSED",
        }
    }

    fn target_text(&self) -> String {
        match self.target {
            Target::AtLeast(least) => format!("at least {}", digits(least)),
            Target::AtMost(most) => format!("at most {}", digits(most)),
            Target::None => String::new(),
        }
    }

    fn row(&self) -> String {
        let (value, target, verdict) = (digits(self.value), self.target_text(), self.verdict());
        format!("{:<44} {value:>9} {:<22} {target:<16} {verdict}", self.name, self.unit)
    }

    fn json(&self) -> Value {
        let target = match self.target {
            Target::AtLeast(least) => json!({ "at_least": least }),
            Target::AtMost(most) => json!({ "at_most": most }),
            Target::None => Value::Null,
        };
        json!({
            "name": self.name, "value": self.value, "unit": self.unit, "target": target, "met": self.met(),
            "note": self.note,
        })
    }
}

/// Whole numbers for what is large, two places after the point for what is small.
fn digits(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The figures of one run, and what they were measured on.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) figures: Vec<Figure>,
}

impl Report {
    pub(crate) fn all_met(&self) -> bool {
        self.figures.iter().all(Figure::met)
    }

    /// A table, and under it a line for each figure on how it was measured.
    pub(crate) fn text(&self) -> String {
        let mut lines = vec![format!("machine: {}", process::machine())];
        if let Some(load) = process::load_average() {
            lines.push(format!("load of the last minute, ours included: {load:.2}"));
        }
        lines.push(String::new());
        lines.extend(self.figures.iter().map(Figure::row));
        lines.push(String::new());
        lines.extend(self.figures.iter().map(|figure| format!("{}: {}", figure.name, figure.note)));
        lines.join("\n")
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "machine": process::machine(),
            "load_average": process::load_average(),
            "met": self.all_met(),
            "figures": self.figures.iter().map(Figure::json).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: f64, target: Target) -> Figure {
        Figure { name: "speed", value, unit: "calls/s", target, note: "by hand".to_owned() }
    }

    #[test]
    fn a_figure_is_held_to_its_target() {
        assert!(figure(40_000.0, Target::AtLeast(40_000.0)).met());
        assert!(!figure(39_999.0, Target::AtLeast(40_000.0)).met());
        assert!(figure(5.0, Target::AtMost(5.0)).met());
        assert!(!figure(5.1, Target::AtMost(5.0)).met());
        assert!(figure(f64::MAX, Target::None).met());
    }

    #[test]
    fn one_missed_figure_fails_the_report_and_stands_out() {
        let report =
            Report { figures: vec![figure(1.0, Target::AtMost(2.0)), figure(3.0, Target::AtMost(2.0))] };
        assert!(!report.all_met());
        assert_eq!(report.text().matches("MISSED").count(), 1);
        assert_eq!(report.json()["figures"][1]["met"], false);
    }
}
