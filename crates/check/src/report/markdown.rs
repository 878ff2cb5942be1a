//! A report for a page, such as the summary of a CI run: the verdict, what went wrong, and a table of all cases.
//!
//! What the peer said stands in fenced blocks alone, whose fence is longer than any row of backticks in it.

use std::fmt::{Result, Write};

use super::{Text, clean, got, sum, word};
use crate::run::{Report, Told};
use crate::verdict::{Stop, Verdict};

/// The whole report as Markdown.
///
/// # Errors
/// Those of `out`.
pub fn markdown(report: &Report, strict: bool, out: &mut impl Write) -> Result {
    let verdict = if report.is_right(strict) { "passed" } else { "failed" };
    writeln!(out, "## dayfly check {}: {verdict}\n", report.role)?;
    fenced(&format!("{}\n{}\n", clean::line(&report.peer), sum(report)), out)?;
    if let Some(stranger) = &report.stranger {
        writeln!(out)?;
        return fenced(&format!("{}\n", clean::line(stranger)), out);
    }
    let mut last = None;
    for told in report.told.iter().filter(|told| is_shown(told)) {
        // What many cases have in common is shown once; the table has them all.
        let likewise = is_unreached(told) && last == Some(&told.verdict);
        last = Some(&told.verdict);
        if !likewise {
            case(told, out)?;
        }
    }
    writeln!(out, "\n<details><summary>All cases</summary>\n")?;
    writeln!(out, "| case | severity | what is done | verdict |\n| --- | --- | --- | --- |")?;
    for told in &report.told {
        let (severity, word) = (told.case.severity.name(), word(&told.verdict));
        writeln!(out, "| {} | {severity} | {} | {word} |", told.case.id, escaped(told.case.title))?;
    }
    writeln!(out, "\n</details>")
}

/// Whether a case needs more than its row in the table.
fn is_shown(told: &Told) -> bool {
    !matches!(told.verdict, Verdict::Passed | Verdict::Left(_))
}

fn is_unreached(told: &Told) -> bool {
    matches!(told.verdict, Verdict::Stopped(Stop::NotReached(_)))
}

fn case(told: &Told, out: &mut impl Write) -> Result {
    let (case, word) = (&told.case, word(&told.verdict));
    writeln!(out, "\n### {} {word}: {} ({})\n", case.id, escaped(case.title), case.severity.name())?;
    let mut block = String::new();
    if matches!(told.verdict, Verdict::Stopped(Stop::Failed(_))) {
        Text::default().block(told, &mut block)?;
    } else {
        writeln!(block, "{}", got(&told.verdict).unwrap_or_default())?;
    }
    fenced(&block, out)
}

fn fenced(lines: &str, out: &mut impl Write) -> Result {
    let mut longest = 2;
    let mut row = 0;
    for character in lines.chars() {
        row = if character == '`' { row + 1 } else { 0 };
        longest = longest.max(row);
    }
    let fence = "`".repeat(longest + 1);
    writeln!(out, "{fence}text\n{lines}{fence}")
}

/// Our own words, of which some have signs that mean something here.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '&') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{rules, sample};
    use super::*;

    fn written(report: &Report) -> String {
        let mut out = String::new();
        markdown(report, false, &mut out).unwrap();
        out
    }

    #[test]
    fn a_run_is_a_page_like_this() {
        let nasty = "<b>&\"']]>\\u{a}```\\u{1b}[31m| *x* @all";
        let (rule, sum) = (rules::sentence("HS-20").unwrap(), sum(&sample::report()));
        let expected = format!(
            "\
## dayfly check server: failed

```text
127.0.0.1:4430
{sum}
```

### HS-20/1 failed: g\\_b = 1 (must)

````text
    rule     HS-20 {rule}
    why      whoever changes g_b knows the key
    sent     set_client_DH_params
    came     {nasty}
    expected -404
    got      set_client_DH_params got {nasty}
````

### HS-20/2 failed: g\\_b is short (should)

````text
    rule     HS-20 {rule}
    why      whoever changes g_b knows the key
    sent     set_client_DH_params
    came     {nasty}
    expected -404
    got      nothing
````

### PF-02/1 not reached: the nonce \\<differs\\> (must)

```text
req_pq_multi got nothing
```

### MS-05/1 undecided: a seqno is odd (compat)

```text
it may mean either
```

<details><summary>All cases</summary>

| case | severity | what is done | verdict |
| --- | --- | --- | --- |
| HS-01/1 | must | a permanent key is made | passed |
| HS-20/1 | must | g\\_b = 1 | failed |
| HS-20/2 | should | g\\_b is short | failed |
| PF-02/1 | must | the nonce \\<differs\\> | not reached |
| MS-05/1 | compat | a seqno is odd | undecided |
| MS-05/2 | must | a session ends | left out |
| HS-35/1 | must | many runs at once | left out |

</details>
"
        );
        assert_eq!(written(&sample::report()), expected);
    }

    #[test]
    fn a_reason_that_many_share_is_shown_once() {
        let mut report = sample::report();
        report.told.insert(4, report.told[3].clone());
        let written = written(&report);
        assert_eq!(written.matches("\nreq_pq_multi got nothing\n").count(), 1);
        assert_eq!(written.matches("| PF-02/1 |").count(), 2);
    }

    #[test]
    fn a_stranger_is_one_sentence() {
        let written = written(&sample::stranger());
        assert!(
            written.ends_with("```text\n127.0.0.1:22 speaks first: it is an SSH server\n```\n"),
            "{written}"
        );
        assert!(!written.contains("| case |"));
    }
}
