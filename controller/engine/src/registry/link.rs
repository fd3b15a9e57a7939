//! The `Link` header, by which a list goes on (RFC 8288).

/// Returns the target of the link with the relation `next`.
pub(super) fn next(value: &str) -> Option<&str> {
    let mut rest = value;
    loop {
        let (_, behind) = rest.split_once('<')?;
        let (target, behind) = behind.split_once('>')?;
        // A comma ends the parameters of a link; none of those that matter here can hold one.
        let (parameters, further) = behind.split_once(',').unwrap_or((behind, ""));
        if parameters.split(';').any(is_next) {
            return Some(target.trim());
        }
        rest = further;
    }
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel")
        && relations
            .into_iter()
            .any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        for (value, expected) in [
            (
                r#"</v2/a/tags/list?last=b&n=1>; rel="next""#,
                Some("/v2/a/tags/list?last=b&n=1"),
            ),
            (
                "<https://r.example/v2/a/tags/list?last=b>;rel=next",
                Some("https://r.example/v2/a/tags/list?last=b"),
            ),
            (
                r#"</first>; rel="first", </next>; REL="Next""#,
                Some("/next"),
            ),
            (r#"</a,b>; rel="prev next"; title="x""#, Some("/a,b")),
            (r#"</first>; rel="first""#, None),
            (r#"</x>; title="next""#, None),
            ("/v2/a/tags/list; rel=next", None),
            ("<unfinished", None),
            ("", None),
        ] {
            assert_eq!(next(value), expected, "{value}");
        }
    }
}
