//! A scenario: which faults the lab makes, and what it answers to calls; in TOML, or in JSON over the control API.
//!
//! ```
//! use dayfly_check::scenario::Scenario;
//!
//! let scenario = Scenario::from_toml(
//!     r#"
//!     [[rule]]
//!     fault = "dh-answer-hash"
//!     times = 1
//!
//!     [[answer]]
//!     method = "help.getConfig"
//!     error = { code = 420, message = "FLOOD_WAIT_3" }
//!     "#,
//! )?;
//! assert_eq!(scenario.rules.len(), 1);
//! assert_eq!(scenario.answers.len(), 1);
//! # Ok::<(), dayfly_check::scenario::ScenarioError>(())
//! ```

use std::collections::BTreeMap;

use dayfly_tl::mtproto::RpcError;
use dayfly_tl::to_bytes;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use crate::dissect::constructor;
use crate::lab::Rule;

/// What a lab is told to do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scenario {
    /// The faults, with their conditions.
    pub rules: Vec<Rule>,
    /// Results by the constructor of the innermost query; an error is an `rpc_error`.
    pub answers: BTreeMap<u32, Vec<u8>>,
}

/// What is wrong with a scenario.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{line}: {message}")]
pub struct ScenarioError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there, and what is expected.
    pub message: String,
}

impl Scenario {
    /// Reads TOML.
    ///
    /// # Errors
    /// [`ScenarioError`] for an unknown fault, step or field, for a value of a wrong form, and for a fault that cannot act at its
    /// step.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let wrong = |at: usize, message: String| ScenarioError { line: line_at(text, at), message };
        let file: File<Spanned<Rule>, Spanned<Answer>> = toml::from_str(text)
            .map_err(|error| wrong(error.span().map_or(0, |span| span.start), in_words(error.message())))?;
        let mut scenario = Self::default();
        for rule in file.rule {
            rule.get_ref().check().map_err(|error| wrong(rule.span().start, error.to_string()))?;
            scenario.rules.push(rule.into_inner());
        }
        for answer in file.answer {
            let at = answer.span().start;
            scenario.take(answer.into_inner()).map_err(|message| wrong(at, message))?;
        }
        Ok(scenario)
    }

    /// Reads JSON of the same shape.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml); what is only found out about a whole rule is told of the last line.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        let end = text.lines().count().max(1);
        let wrong = |message: String| ScenarioError { line: end, message };
        let file: File<Rule, Answer> = serde_json::from_str(text)
            .map_err(|error| ScenarioError { line: error.line(), message: error.to_string() })?;
        let mut scenario = Self::default();
        for rule in file.rule {
            rule.check().map_err(|error| wrong(error.to_string()))?;
            scenario.rules.push(rule);
        }
        for answer in file.answer {
            scenario.take(answer).map_err(wrong)?;
        }
        Ok(scenario)
    }

    fn take(&mut self, answer: Answer) -> Result<(), String> {
        let Answer { method: Method(method), result, error } = answer;
        let bytes = match (result, error) {
            (Some(TlObject(result)), None) => result,
            (None, Some(error)) => {
                to_bytes(&RpcError { error_code: error.code, error_message: error.message.as_bytes() })
            }
            _ => return Err("an answer has either result or error".to_owned()),
        };
        match self.answers.insert(method, bytes) {
            None => Ok(()),
            Some(_) => Err(format!("0x{method:08x} is answered twice")),
        }
    }
}

/// As it is written. `R` is a rule and `A` an answer, each with its place where the format knows places.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "R: Deserialize<'de>, A: Deserialize<'de>")]
struct File<R, A> {
    #[serde(default = "Vec::new")]
    rule: Vec<R>,
    #[serde(default = "Vec::new")]
    answer: Vec<A>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    method: Method,
    #[serde(default)]
    result: Option<TlObject>,
    #[serde(default)]
    error: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    code: i32,
    message: String,
}

/// A constructor, by number or by name.
struct Method(u32);

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
        number.or_else(|| constructor(&text)).map(Self).ok_or_else(|| {
            let expected = "expected a constructor id such as \"0xc4f9186b\", or a name of schema/*.tl";
            de::Error::custom(format!("{text:?} is no method, {expected}"))
        })
    }
}

/// A TL object in hexadecimal.
struct TlObject(Vec<u8>);

impl<'de> Deserialize<'de> for TlObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = hex::decode(&text).ok().filter(|bytes| bytes.len() >= 4 && bytes.len().is_multiple_of(4));
        bytes.map(Self).ok_or_else(|| {
            de::Error::custom(
                "the result is no TL object, expected words of 8 hexadecimal digits, constructor first",
            )
        })
    }
}

/// The message of the parser on one line, the first of its sentences.
fn in_words(message: &str) -> String {
    message.trim().lines().collect::<Vec<_>>().join(", ")
}

/// The line, counted from 1, in which the byte `at` stands.
fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Fault, Step};

    fn refused(text: &str) -> String {
        Scenario::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn rules_and_answers_are_read() {
        let text = r#"
            [[rule]]
            fault = "error-404"
            step = "dh-gen"
            times = 2
            connection = 3

            [[answer]]
            method = "0xc4f9186b"
            result = "b5757299"

            [[answer]]
            method = "help.getNearestDc"
            error = { code = 420, message = "FLOOD_WAIT_3" }
        "#;
        let scenario = Scenario::from_toml(text).unwrap();
        let expected =
            Rule { times: Some(2), connection: Some(3), ..Rule::always(Fault::Error404).at(Step::DhGen) };
        assert_eq!(scenario.rules, [expected]);
        assert_eq!(scenario.answers[&0xc4f9_186b], 0x9972_75b5_u32.to_le_bytes());
        let error = to_bytes(&RpcError { error_code: 420, error_message: b"FLOOD_WAIT_3" });
        assert_eq!(scenario.answers[&0x1fb3_3026], error);
    }

    #[test]
    fn json_of_the_same_shape_is_read() {
        let text = r#"{"rule": [{"fault": "late", "millis": 10}, {"fault": "msg-key", "follow_up": true}]}"#;
        let scenario = Scenario::from_json(text).unwrap();
        let late = Rule { millis: Some(10), ..Rule::always(Fault::Late) };
        assert_eq!(scenario.rules, [late, Rule { follow_up: true, ..Rule::always(Fault::MsgKey) }]);
        assert_eq!(Scenario::from_json("{}").unwrap(), Scenario::default());
        assert_eq!(Scenario::from_json("").unwrap_err().line, 1);
        let wrong = Scenario::from_json("{\"rule\": [\n{\"fault\": \"g-nine\"}]}").unwrap_err();
        assert!(
            wrong.line == 2 && wrong.message.starts_with("there is no fault \"g-nine\"; there are:"),
            "{wrong}"
        );
    }

    #[test]
    fn an_unknown_fault_is_told_with_its_line_and_what_there_is() {
        let told = refused("\n[[rule]]\nfault = \"dh-answr\"\n");
        assert!(told.starts_with("3: there is no fault \"dh-answr\"; there are: res-pq-nonce, "), "{told}");
    }

    #[test]
    fn so_are_steps_fields_and_tables() {
        let cases = [
            ("[[rule]]\nfault = \"late\"\nstep = \"dh\"", "3: there is no step \"dh\"; there are: res-pq, "),
            ("[[rule]]\nfault = \"late\"\ntime = 1", "3: unknown field `time`, expected one of `fault`, "),
            ("\n[rules]", "2: unknown field `rules`, expected `rule` or `answer`"),
            ("[[rule]]\ntimes = 1", "1: missing field `fault`"),
            ("[[rule]]\nfault = \"late\"\ntimes = -1", "3: invalid value: integer `-1`, expected u32"),
            ("x", "1: "),
        ];
        for (text, expected) in cases {
            assert!(refused(text).starts_with(expected), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn a_fault_that_cannot_act_at_its_step_is_refused() {
        let told = refused("\n[[rule]]\nfault = \"g-four\"\nstep = \"bind\"");
        assert_eq!(told, "2: the fault g-four cannot act at the step bind");
    }

    #[test]
    fn answers_of_a_wrong_form_are_refused() {
        let cases = [
            ("method = \"help.getCofig\"\nresult = \"00000000\"", "\"help.getCofig\" is no method"),
            ("method = \"0xc4f9186b\"\nresult = \"0\"", "the result is no TL object"),
            ("method = \"0xc4f9186b\"\nresult = \"0000000000\"", "the result is no TL object"),
            ("method = \"0xc4f9186b\"", "either result or error"),
            (
                "method = \"0xc4f9186b\"\nresult = \"00000000\"\n[[answer]]\nmethod = \"help.getConfig\"\nresult = \"00000000\"",
                "0xc4f9186b is answered twice",
            ),
        ];
        for (text, expected) in cases {
            let told = refused(&format!("[[answer]]\n{text}"));
            assert!(told.contains(expected), "{text}: {told}");
        }
    }
}
