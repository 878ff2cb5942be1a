//! Writes the files of `vectors/runs` anew: `cargo run --release -p dayfly-testkit --example record_runs`.
//!
//! To be done after a change to what the server draws or to what a file holds; `vectors/runs/verify.py` then says whether
//! the new files are right.

use std::fs;

use dayfly_testkit::runs::{SCENARIOS, record};
use dayfly_testkit::vectors;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (seed, scenario) in (1..).zip(&SCENARIOS) {
        let mut json = serde_json::to_string_pretty(&record(scenario, seed))?;
        json.push('\n');
        fs::write(vectors::path("runs").join(scenario.id).with_extension("json"), json)?;
    }
    Ok(())
}
