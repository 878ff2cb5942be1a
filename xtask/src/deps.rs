//! `cargo xtask deps`: which part knows which, what each dependency is for, and under which licences.

mod edges;
mod licences;
mod reasons;

use anyhow::{Result, bail};

use crate::workspace::Metadata;

/// The command.
pub(crate) fn run() -> Result<()> {
    let metadata = Metadata::read()?;
    let mut problems = edges::problems(&metadata);
    problems.extend(reasons::problems()?);
    problems.extend(licences::problems(&metadata)?);
    problems.iter().for_each(|problem| println!("problem: {problem}"));
    let (ours, all) = (metadata.members().count(), metadata.packages.len());
    println!("{ours} packages of ours, {} of others", all - ours);
    if problems.is_empty() { Ok(()) } else { bail!("{} problems with dependencies", problems.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_has_no_problem_with_its_dependencies() {
        let metadata = Metadata::read().unwrap();
        let none: Vec<String> = Vec::new();
        assert_eq!(edges::problems(&metadata), none);
        assert_eq!(reasons::problems().unwrap(), none);
        assert_eq!(licences::problems(&metadata).unwrap(), none);
    }
}
