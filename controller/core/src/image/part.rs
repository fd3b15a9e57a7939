//! The grammar of the parts of an image's name, as the OCI distribution specification has it.

/// How long the name of a repository may be.
const MAX_NAME: usize = 255;

/// Whether the first part of a name is a registry, and not the first part of a path.
pub(super) fn is_registry(part: &str) -> bool {
    part == "localhost"
        || part.contains(['.', ':'])
        || part.contains(|c: char| c.is_ascii_uppercase())
}

/// Whether the text is a host with or without a port; the host may be an IPv6 address in brackets.
pub(super) fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    port.is_none_or(|port| port.parse::<u16>().is_ok())
        && (is_address || host.split('.').all(is_label))
}

fn is_label(label: &str) -> bool {
    let is_alphanumeric_or_dash = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !label.is_empty()
        && label.chars().all(is_alphanumeric_or_dash)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether the text is a path in a registry: parts of lower-case letters and digits.
pub(super) fn is_path(text: &str) -> bool {
    text.len() <= MAX_NAME && text.split('/').all(is_component)
}

/// Between letters and digits stand one dot, one or two underscores, or any number of dashes.
fn is_component(text: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|c| c == b'-');
    text.starts_with(is_alphanumeric)
        && text.ends_with(is_alphanumeric)
        && text.split(is_alphanumeric).all(is_separator)
}

/// Whether the text is a tag.
pub(super) fn is_tag(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&text.len())
        && text.starts_with(is_word)
        && text.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

/// Whether the text is a digest: an algorithm, a colon and at least 32 hexadecimal digits.
pub(super) fn is_digest(text: &str) -> bool {
    let Some((algorithm, number)) = text.split_once(':') else {
        return false;
    };
    let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let wanted = match algorithm {
        "sha256" => 64..=64,
        "sha512" => 128..=128,
        _ => 32..=256,
    };
    let is_algorithm_byte =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+._-".contains(c);
    algorithm.starts_with(|c: char| c.is_ascii_lowercase())
        && algorithm.chars().all(is_algorithm_byte)
        && wanted.contains(&number.len())
        && number.chars().all(is_hex)
}
