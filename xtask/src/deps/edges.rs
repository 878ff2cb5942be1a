//! The table of docs/src/architecture.md: a part knows only the parts named beside it.

use std::collections::BTreeSet;

use crate::workspace::{Metadata, Package};

/// Ordinary dependencies only: what a test needs does not ship.
const KNOWS: [(&str, &[&str]); 19] = [
    ("dayfly-tl", &[]),
    ("dayfly-modexp", &[]),
    ("dayfly-crypto", &["dayfly-modexp"]),
    ("dayfly-core", &["dayfly-tl", "dayfly-crypto"]),
    ("dayfly-system", &["dayfly-core"]),
    ("dayfly-store", &["dayfly-core", "dayfly-crypto", "dayfly-system"]),
    (
        "dayfly-server",
        &[
            "dayfly-tl",
            "dayfly-crypto",
            "dayfly-core",
            "dayfly-system",
            "dayfly-store",
            "dayfly-backend-proto",
        ],
    ),
    ("dayfly-client", &["dayfly-tl", "dayfly-crypto", "dayfly-core", "dayfly-system"]),
    (
        "dayfly-check",
        &[
            "dayfly-tl",
            "dayfly-crypto",
            "dayfly-core",
            "dayfly-system",
            "dayfly-store",
            "dayfly-server",
            "dayfly-client",
        ],
    ),
    ("dayfly-testkit", &["dayfly-tl", "dayfly-crypto", "dayfly-core"]),
    (
        "dayfly",
        &[
            "dayfly-tl",
            "dayfly-crypto",
            "dayfly-core",
            "dayfly-store",
            "dayfly-server",
            "dayfly-client",
            "dayfly-check",
        ],
    ),
    ("dayfly-oracles", &["dayfly-tl", "dayfly-crypto", "dayfly-core"]),
    (
        "dayfly-load",
        &[
            "dayfly-tl",
            "dayfly-crypto",
            "dayfly-core",
            "dayfly-store",
            "dayfly-server",
            "dayfly-client",
            "dayfly-testkit",
        ],
    ),
    ("dayfly-tests", &[]),
    (
        "dayfly-peer",
        &["dayfly-tl", "dayfly-core", "dayfly-store", "dayfly-server", "dayfly-client", "dayfly-testkit"],
    ),
    ("dayfly-memory-tests", &[]),
    ("dayfly-backend-proto", &[]),
    ("dayfly-example-backend", &["dayfly-backend-proto"]),
    ("xtask", &[]),
];

/// The parts without I/O, clock and ambient randomness.
const PURE: [&str; 3] = ["dayfly-tl", "dayfly-crypto", "dayfly-core"];
/// What would bring I/O in, through whatever dependency.
const IO: [&str; 5] = ["tokio", "mio", "socket2", "rustix", "tracing"];
/// What would bring randomness in, if asked for directly: below us, features of other packages may pull it in unused.
const RANDOMNESS: [&str; 3] = ["getrandom", "rand", "rand_core"];

/// Edges that the table lacks, packages that it lacks, and impure packages below the pure ones.
pub(super) fn problems(metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    for package in metadata.members() {
        match KNOWS.iter().find(|(name, _)| *name == package.name) {
            Some((_, known)) => problems.extend(strange_edges(package, known)),
            None => problems.push(format!("{} is not in the table of xtask/src/deps/edges.rs", package.name)),
        }
        if PURE.contains(&package.name.as_str()) {
            problems.extend(impure(metadata, package));
        }
    }
    problems
}

fn strange_edges(package: &Package, known: &[&str]) -> Vec<String> {
    let ships = package.dependencies.iter().filter(|edge| edge.kind.as_deref() != Some("dev"));
    let strange = ships.filter(|edge| edge.path.is_some() && !known.contains(&edge.name.as_str()));
    strange.map(|edge| format!("{} must not know {}", package.name, edge.name)).collect()
}

fn impure(metadata: &Metadata, package: &Package) -> Vec<String> {
    let below = reachable(metadata, &package.id);
    let names = below.iter().filter_map(|id| metadata.package(id)).map(|package| package.name.as_str());
    let io = names.filter(|name| IO.contains(name));
    let asked = package.dependencies.iter().filter(|edge| edge.kind.is_none()).map(|edge| edge.name.as_str());
    let impure = io.chain(asked.filter(|name| RANDOMNESS.contains(name)));
    impure.map(|name| format!("{} must stay pure, but reaches {name}", package.name)).collect()
}

/// Everything that `start` needs in a shipped build, by package id.
fn reachable<'a>(metadata: &'a Metadata, start: &'a str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut left = vec![start];
    while let Some(id) = left.pop() {
        if seen.insert(id) {
            let node = metadata.resolve.nodes.iter().find(|node| node.id == id);
            let edges = node.into_iter().flat_map(|node| &node.deps);
            let ordinary = edges.filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            left.extend(ordinary.map(|edge| edge.pkg.as_str()));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, kind: Option<&str>, knows: &str) -> Package {
        let edge = Dependency { name: knows.into(), kind: kind.map(str::to_owned), path: Some("/a".into()) };
        Package {
            id: name.into(),
            name: name.into(),
            version: "1.0.0".into(),
            license: None,
            source: None,
            dependencies: vec![edge],
        }
    }

    #[test]
    fn an_edge_upwards_is_a_problem_and_a_dev_one_is_not() {
        let known = &["dayfly-tl"];
        assert_eq!(strange_edges(&package("dayfly-core", None, "dayfly-server"), known).len(), 1);
        assert_eq!(strange_edges(&package("dayfly-core", Some("build"), "dayfly-server"), known).len(), 1);
        assert!(strange_edges(&package("dayfly-core", Some("dev"), "dayfly-server"), known).is_empty());
        assert!(strange_edges(&package("dayfly-core", None, "dayfly-tl"), known).is_empty());
    }
}
