//! `machine[option]=…`: all options of Kathara and of Netkit's `vstart`.

use diag::Span;
use lab::{Node, Suite};

use super::Reader;
use super::lex::{Value, Word};
use super::values;
use crate::nearest::nearest;

/// Every option that one of the dialects has.
const KNOWN: [&str; 36] = [
    "image",
    "mem",
    "cpus",
    "port",
    "bridged",
    "ipv6",
    "exec",
    "sysctl",
    "env",
    "ulimit",
    "shell",
    "num_terms",
    "privileged",
    "entrypoint",
    "args",
    "volume",
    "M",
    "k",
    "kernel",
    "append",
    "con0",
    "con1",
    "xterm",
    "m",
    "model-fs",
    "f",
    "filesystem",
    "W",
    "D",
    "H",
    "e",
    "F",
    "l",
    "w",
    "mount",
    "debug",
];

/// Options that may come several times.
const LISTS: [&str; 10] = [
    "port", "exec", "e", "sysctl", "env", "ulimit", "volume", "args", "append", "mount",
];

/// Images of the Kathara project that hold what nodes here have anyway.
const PLAIN: [&str; 9] = [
    "base",
    "bind",
    "frr",
    "quagga",
    "bird",
    "netkit_base",
    "core",
    "extended",
    "frr_old",
];

impl Reader<'_> {
    pub(super) fn option(&mut self, machine: &Word, arg: &Word, value: &Value) {
        let (name, key) = (machine.text.as_str(), arg.text.as_str());
        if !KNOWN.contains(&key) {
            return self.unknown(machine, arg);
        }
        if !LISTS.contains(&key) && self.given_before(name, arg, value) {
            return;
        }
        let text = value.word.text.as_str();
        if let Err(help) = self.apply(machine, key, text, &value.word.span) {
            let text = format!("bad value of `{key}`: `{text}`");
            self.error(&value.word.span, text, help);
        }
    }

    fn unknown(&mut self, machine: &Word, arg: &Word) {
        let key = arg.text.as_str();
        let place = self.place(&arg.span);
        let help = match nearest(key, KNOWN) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "it changes nothing in any of the tools: remove it".to_string(),
        };
        let text = format!("unknown option `{key}` is ignored");
        self.groups.warn(text, &help, &machine.text, place);
    }

    /// Whether an earlier line with the same option counts instead.
    fn given_before(&mut self, name: &str, arg: &Word, value: &Value) -> bool {
        let kathara = self.kathara();
        let span = value.word.span.clone();
        let given = &mut self.machines[name].given;
        let Some(before) = given.insert(arg.text.clone(), span.clone()) else {
            return false;
        };
        let same = self.place(&before).text() == value.word.text;
        let counts = if kathara { "last" } else { "first" };
        if !same {
            let text = format!(
                "`{}` of {name} is given twice: the {counts} counts",
                arg.text
            );
            self.warning(&arg.span, text, "remove one of the lines");
        }
        !kathara
    }

    fn apply(
        &mut self,
        machine: &Word,
        key: &str,
        text: &str,
        span: &Span,
    ) -> Result<(), &'static str> {
        let kathara = self.kathara();
        let name = machine.text.as_str();
        let node: &mut Node = &mut self.machines[name].node;
        match key {
            "image" => self.image(name, text, span),
            "mem" if kathara => {
                let bytes = values::memory(text, 1 << 20)?;
                if bytes < 4 << 20 {
                    return Err("a node needs 4m at least");
                }
                node.limits.memory = Some(bytes);
            }
            "cpus" => {
                let good = |n: &f64| n.is_finite() && *n > 0.0;
                let cpus = text.parse().ok().filter(good);
                node.limits.cpus = Some(cpus.ok_or("write a number above 0, 0.5 for half a core")?);
            }
            "ipv6" => node.ipv6 = Some(values::boolean(text)?),
            "exec" | "e" => self.machines[name].commands.push(text.to_string()),
            "shell" => match text.starts_with('/') && !text.contains(char::is_whitespace) {
                true => node.shell = Some(text.to_string()),
                false => return Err("write the path of a shell, like /bin/bash"),
            },
            "num_terms" => {
                let number = values::number(text).and_then(|n| u32::try_from(n).ok());
                let number = number
                    .filter(|n| *n <= 16)
                    .ok_or("write a number from 0 to 16")?;
                node.terminals = Some(number);
            }
            "sysctl" => {
                let (key, value) = values::sysctl(text)?;
                node.sysctls.insert(key, value);
            }
            "env" => {
                let pair = values::pair(text);
                let (key, value) = pair.ok_or("write NAME=VALUE, like LANG=C.UTF-8")?;
                node.environment.insert(key, value);
            }
            "ulimit" => {
                let (key, limit) = values::ulimit(text)?;
                node.limits.ulimits.insert(key, limit);
            }
            "volume" => {
                let mount = values::volume(text)?;
                let place = self.source.at(span.clone());
                let index = node.mounts.len().to_string();
                node.mounts.push(mount);
                self.places.put(&["nodes", name, "mounts", &index], place);
            }
            _ => return self.later(name, key, text, span),
        }
        Ok(())
    }

    /// Options that are understood and kept, and not carried out.
    fn later(
        &mut self,
        name: &str,
        key: &str,
        text: &str,
        span: &Span,
    ) -> Result<(), &'static str> {
        match key {
            "bridged" | "privileged" if !values::boolean(text)? => return Ok(()),
            "port" => {
                let port = values::port(text)?;
                self.machines[name].node.ports.push(port);
            }
            _ => {
                let hints = &mut self.machines[name].node.hints;
                hints
                    .entry(key.to_string())
                    .or_default()
                    .push(text.to_string());
            }
        }
        let place = self.place(span);
        let (text, help) = meaning(key);
        match machine_only(key) {
            true => self.groups.note(text, help, name, place),
            false => self.groups.warn(text, help, name, place),
        }
        Ok(())
    }

    fn image(&mut self, name: &str, text: &str, span: &Span) {
        let node = &mut self.machines[name].node;
        node.image = Some(text.to_string());
        node.routing.suite = suite(text);
        let plain = node.routing.suite.is_some()
            || text
                .strip_prefix("kathara/")
                .is_some_and(|i| PLAIN.contains(&i.split(':').next().unwrap_or(i)));
        if !plain {
            let place = self.place(span);
            let text =
                format!("image `{text}` is not run, its nodes have the programs of this host");
            self.groups.warn(text, "", name, place);
        }
    }
}

/// The routing suite that an image is made for, by its name.
fn suite(image: &str) -> Option<Suite> {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split([':', '@']).next().unwrap_or(name);
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    [
        ("frr", Suite::Frr),
        ("quagga", Suite::Quagga),
        ("bird", Suite::Bird),
    ]
    .into_iter()
    .find(|(word, _)| name.starts_with(word) || tag == *word)
    .map(|(_, suite)| suite)
}

/// Whether an option is about virtual machines or terminals of the original tool only, so that
/// nothing is amiss without it.
fn machine_only(key: &str) -> bool {
    !matches!(
        key,
        "bridged" | "port" | "entrypoint" | "args" | "append" | "privileged" | "mount" | "H"
    )
}

/// What becomes of an option that is not carried out, and what may help.
fn meaning(key: &str) -> (String, &'static str) {
    let text = match key {
        "bridged" => "`bridged` gives no way out to the host's network yet",
        "port" => "`port` is not opened on the host yet",
        "privileged" => {
            "`privileged` changes nothing: nodes have all rights over themselves and none over the host"
        }
        "entrypoint" | "args" => "commands of a container image are not run",
        "mem" | "M" => {
            "memory of Netkit's virtual machines is not set aside: nodes share the host's"
        }
        "k" | "kernel" | "m" | "model-fs" | "f" | "filesystem" => {
            return (
                format!("`{key}` is not used: nodes have the host's kernel and programs"),
                "",
            );
        }
        "append" => "`append` is not passed on: nodes boot no kernel of their own",
        _ => return (format!("`{key}` changes nothing here"), ""),
    };
    let help = match key {
        "bridged" | "port" => "`telaio exec` and `telaio cp` reach into nodes",
        "entrypoint" | "args" => "start the program in the machine's startup script",
        _ => "",
    };
    (text.to_string(), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_routers_name_a_suite() {
        assert_eq!(suite("kathara/frr"), Some(Suite::Frr));
        assert_eq!(
            suite("docker.io/kathara/quagga:latest"),
            Some(Suite::Quagga)
        );
        assert_eq!(suite("unibaktr/alpine:frr"), Some(Suite::Frr));
        assert_eq!(suite("kathara/base"), None);
        assert_eq!(suite("freeradius/freeradius-server"), None);
    }
}
