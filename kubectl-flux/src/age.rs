//! Ages as kubectl prints them: exact while young, rough when old.

/// Returns the age of something that is this many seconds old.
pub(crate) fn human(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    match seconds {
        ..0 => "0s".into(),
        0..120 => format!("{seconds}s"),
        120..600 => two("m", seconds / MINUTE, "s", seconds % MINUTE),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => two("h", seconds / HOUR, "m", seconds % HOUR / MINUTE),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => two("d", seconds / DAY, "h", seconds % DAY / HOUR),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => two("y", seconds / YEAR, "d", seconds % YEAR / DAY),
        _ => format!("{}y", seconds / YEAR),
    }
}

fn two(unit: &str, count: i64, smaller_unit: &str, rest: i64) -> String {
    if rest == 0 {
        format!("{count}{unit}")
    } else {
        format!("{count}{unit}{rest}{smaller_unit}")
    }
}

/// Returns how long something was waited for, to the second.
pub(crate) fn limit(limit: std::time::Duration) -> String {
    let seconds = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
    human(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_those_of_kubectl() {
        for (seconds, text) in [
            (-3, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (601, "10m"),
            (10_800, "3h"),
            (11_100, "3h5m"),
            (36_000, "10h"),
            (180_000, "2d2h"),
            (864_000, "10d"),
            (63_072_000, "2y"),
            (400_000_000, "12y"),
        ] {
            assert_eq!(human(seconds), text, "{seconds}");
        }
    }
}
