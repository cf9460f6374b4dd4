//! Durations as people write and read them.

use std::time::Duration;

/// Longest duration that is taken: a year.
const LONGEST: f64 = 365.0 * 86400.0;

/// `90`, `1.5s`, `500ms`, `2m`, `1h`: seconds where no unit is given.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let bad =
        || format!("`{text}` is no duration: write for example `30`, `1.5s`, `500ms` or `2m`");
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.trim().parse().map_err(|_| bad())?;
    let unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(bad()),
    };
    let seconds = number * unit;
    match (0.0..=LONGEST).contains(&seconds) {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err(bad()),
    }
}

/// Seconds in at most two units: `0.42 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`.
pub(crate) fn show(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..10 => format!("{:.2} s", seconds.max(0.0)),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86400, whole % 86400 / 3600),
    }
}

/// How long ago a time (seconds since 1970) was.
pub(crate) fn since(started: f64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    show(now.map_or(0.0, |d| d.as_secs_f64()) - started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_understood() {
        for (text, ms) in [
            ("90", 90_000),
            ("1.5s", 1500),
            ("500ms", 500),
            ("2m", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
        for bad in ["", "x", "-1", "5x", "1e99", "NaN", "inf"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(show(0.416), "0.42 s");
        assert_eq!(show(61.0), "1 min 1 s");
        assert_eq!(show(7261.0), "2 h 1 min");
        assert_eq!(show(-3.0), "0.00 s");
    }
}
