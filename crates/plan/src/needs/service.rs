//! Which services a command starts.

/// Names of the services that a command starts, from its words: the program first, as written.
pub(super) fn started(words: &[&str]) -> Vec<String> {
    let Some((program, rest)) = words.split_first() else {
        return Vec::new();
    };
    let base = program.rsplit('/').next().unwrap_or(program);
    if let Some(script) = init_script(program) {
        let starts = rest.first().is_some_and(|verb| is_start(verb));
        return starts.then(|| script.to_string()).into_iter().collect();
    }
    match base {
        "systemctl" => by_systemctl(rest),
        "service" | "invoke-rc.d" | "rc-service" => by_service(rest),
        _ => Vec::new(),
    }
}

/// The name of an init script, where the path is one.
pub(super) fn init_script(path: &str) -> Option<&str> {
    let name = path
        .strip_prefix("/etc/init.d/")
        .or_else(|| path.strip_prefix("/etc/rc.d/"));
    name.filter(|n| !n.is_empty() && !n.contains('/'))
}

fn is_start(verb: &str) -> bool {
    matches!(
        verb,
        "start" | "restart" | "reload-or-restart" | "force-reload" | "condrestart" | "try-restart"
    )
}

fn by_systemctl(words: &[&str]) -> Vec<String> {
    let now = words.contains(&"--now");
    let mut plain = words
        .iter()
        .filter(|w| !w.starts_with('-') && !w.is_empty());
    let starts = plain
        .next()
        .is_some_and(|verb| is_start(verb) || (now && *verb == "enable"));
    if !starts {
        return Vec::new();
    }
    plain.filter_map(|unit| service_of(unit)).collect()
}

/// A unit's service; none for targets, sockets and the like.
fn service_of(unit: &str) -> Option<String> {
    let name = unit.strip_suffix(".service").unwrap_or(unit);
    let kinds = [".target", ".socket", ".timer", ".mount", ".path", ".slice"];
    let is_other = kinds.iter().any(|k| name.ends_with(k));
    (!is_other).then(|| name.split('@').next().unwrap_or(name).to_string())
}

fn by_service(words: &[&str]) -> Vec<String> {
    let plain: Vec<&str> = words
        .iter()
        .filter(|w| !w.starts_with('-'))
        .copied()
        .collect();
    match plain.as_slice() {
        [name, verb, ..] if is_start(verb) && !name.is_empty() => vec![(*name).to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &str, expected: &[&str]) {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(started(&words), expected, "{command}");
    }

    #[test]
    fn all_ways_to_start() {
        check("systemctl start frr", &["frr"]);
        check(
            "/bin/systemctl --no-block restart a.service b@x",
            &["a", "b"],
        );
        check("systemctl enable --now nginx", &["nginx"]);
        check("systemctl enable nginx", &[]);
        check("systemctl stop frr", &[]);
        check("systemctl start network.target", &[]);
        check("service bind9 start", &["bind9"]);
        check("service --status-all", &[]);
        check("/etc/init.d/zebra start", &["zebra"]);
        check("/etc/init.d/zebra stop", &[]);
        check("echo service x start", &[]);
    }
}
