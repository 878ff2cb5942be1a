//! How a check names its rule, and how `cargo xtask rules --prove` switches it off.
//!
//! Every check of the protocol goes through one of three macros, each with an id of the form `RULE.name`
//! (`HS-06.nonce`), unique in the workspace. In every ordinary build they compile to the check and nothing else. Built with
//! `--cfg dayfly_mutants` (never a feature, so that no dependency can turn it on) the one check that the environment
//! variable `DAYFLY_MUTANT` names is switched off, and a test that names the rule must then fail.

/// Returns `Err($error.into())` from the enclosing function unless `$condition` holds.
///
/// ```
/// use dayfly_crypto::enforce;
/// fn even(n: u8) -> Result<u8, &'static str> {
///     enforce!("XX-01.even", n % 2 == 0, "odd");
///     Ok(n)
/// }
/// assert_eq!(even(3), Err("odd"));
/// ```
#[macro_export]
macro_rules! enforce {
    ($id:literal, $condition:expr, $error:expr $(,)?) => {
        if !$crate::holds!($id, $condition) {
            return ::core::result::Result::Err(::core::convert::Into::into($error));
        }
    };
}

/// The condition itself; `true` when the check is switched off. For checks that do more than return an error.
#[macro_export]
macro_rules! holds {
    ($id:literal, $condition:expr $(,)?) => {{
        #[cfg(dayfly_mutants)]
        let held = $crate::rules::is_off($id) || $condition;
        #[cfg(not(dayfly_mutants))]
        let held = $condition;
        held
    }};
}

/// The first expression; the second one when the rule is switched off. For behaviour rather than a check.
#[macro_export]
macro_rules! mutant {
    ($id:literal, $right:expr, $wrong:expr $(,)?) => {{
        #[cfg(dayfly_mutants)]
        let value = if $crate::rules::is_off($id) { $wrong } else { $right };
        #[cfg(not(dayfly_mutants))]
        let value = $right;
        value
    }};
}

/// Whether the check `id` is the one that `DAYFLY_MUTANT` names.
#[cfg(dayfly_mutants)]
#[must_use]
pub fn is_off(id: &str) -> bool {
    static OFF: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    OFF.get_or_init(|| std::env::var("DAYFLY_MUTANT").ok()).as_deref() == Some(id)
}
