//! Rust names for TL names.

/// `auth.bindTempAuthKey` is `AuthBindTempAuthKey`, `req_DH_params` is `ReqDhParams`, `resPQ` is `ResPq`.
pub(crate) fn type_name(tl: &str) -> String {
    tl.split(['_', '.']).map(segment).collect()
}

/// The first letter upper; of a run of capitals only the first, and the last if it begins a word.
fn segment(tl: &str) -> String {
    let letters: Vec<char> = tl.chars().collect();
    let upper = |at: usize| letters.get(at).is_some_and(char::is_ascii_uppercase);
    let lower = |at: usize| letters.get(at).is_some_and(char::is_ascii_lowercase);
    let fold = |at: usize, letter: char| match at {
        0 => letter.to_ascii_uppercase(),
        _ if upper(at - 1) && !lower(at + 1) => letter.to_ascii_lowercase(),
        _ => letter,
    };
    letters.iter().enumerate().map(|(at, letter)| fold(at, *letter)).collect()
}

/// A field's name; TL has it in snake case already, but it may be a word of Rust's.
pub(crate) fn field_name(tl: &str) -> String {
    match tl {
        "static" | "type" | "final" | "ref" | "move" | "loop" | "match" | "where" => format!("r#{tl}"),
        _ => tl.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        let cases = [
            ("resPQ", "ResPq"),
            ("req_pq_multi", "ReqPqMulti"),
            ("req_DH_params", "ReqDhParams"),
            ("server_DH_params_ok", "ServerDhParamsOk"),
            ("Set_client_DH_params_answer", "SetClientDhParamsAnswer"),
            ("P_Q_inner_data", "PQInnerData"),
            ("auth.bindTempAuthKey", "AuthBindTempAuthKey"),
            ("JSONObjectValue", "JsonObjectValue"),
            ("RSAPublicKey", "RsaPublicKey"),
        ];
        for (tl, rust) in cases {
            assert_eq!(type_name(tl), rust);
        }
    }

    #[test]
    fn words_of_rust_are_escaped() {
        assert_eq!(field_name("static"), "r#static");
        assert_eq!(field_name("g_a"), "g_a");
    }
}
