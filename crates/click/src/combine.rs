//! Several routers as one, and one of them taken out again, as `click-combine` and
//! `click-uncombine` do it.
//!
//! Elements get their router's name before theirs (`A/q`). Where two routers are linked, the
//! sending device of one and the receiving device of the other become one `RouterLink`, whose
//! arguments (`ROUTER CLASS "config"`) say what it stands for.

use crate::args::{arguments, words};
use crate::router::{Connection, Element, Port, Router};

/// A device of one router that is joined with a device of another, by name.
#[derive(Clone, Debug)]
pub struct Link {
    /// The router and the device that sends.
    pub from: (String, String),
    /// The router and the device that receives.
    pub to: (String, String),
}

/// One router made of several.
///
/// # Errors
/// The link, as `A.eth0=B.eth1`, that has not exactly one sending device on its one side and one
/// receiving device on the other.
pub fn combine(routers: &[(String, Router)], links: &[Link]) -> Result<Router, String> {
    let mut all = Router::default();
    for (name, router) in routers {
        all.add(name, router);
    }
    let mut keep = vec![true; all.elements.len()];
    for (number, link) in links.iter().enumerate() {
        let bad = || {
            format!(
                "{}.{}={}.{}",
                link.from.0, link.from.1, link.to.0, link.to.1
            )
        };
        let out = all.device("ToDevice", &link.from).ok_or_else(bad)?;
        let into = all.device("FromDevice", &link.to).ok_or_else(bad)?;
        all.join(number + 1, (&link.from.0, out), (&link.to.0, into));
        keep[out] = false;
        keep[into] = false;
    }
    all.compact(&keep);
    Ok(all)
}

impl Router {
    fn add(&mut self, name: &str, other: &Router) {
        let first = self.elements.len();
        self.elements.extend(other.elements.iter().map(|e| Element {
            name: format!("{name}/{}", e.name),
            ..e.clone()
        }));
        let moved = |port: Port| Port {
            element: port.element + first,
            ..port
        };
        self.connections
            .extend(other.connections.iter().map(|c| Connection {
                from: moved(c.from),
                to: moved(c.to),
                landmark: c.landmark.clone(),
            }));
        for requirement in &other.requirements {
            if !self.requirements.contains(requirement) {
                self.requirements.push(requirement.clone());
            }
        }
        self.archive.extend(other.archive.iter().cloned());
    }

    /// The only element of a class in a router whose first argument names the device.
    fn device(&self, class: &str, (router, device): &(String, String)) -> Option<usize> {
        let fits = |e: &Element| {
            let inside = e.name.strip_prefix(router.as_str());
            e.class == class
                && inside.is_some_and(|rest| rest.starts_with('/'))
                && arguments(&e.config).first() == Some(device)
        };
        let mut found = (0..self.elements.len()).filter(|i| fits(&self.elements[*i]));
        found.next().filter(|_| found.next().is_none())
    }

    /// Puts a link in the place of two devices.
    fn join(&mut self, number: usize, out: (&str, usize), into: (&str, usize)) {
        let link = self.elements.len();
        let says = |(router, index): (&str, usize)| {
            let element = &self.elements[index];
            format!("{router} {} {}", element.class, quote(&element.config))
        };
        let element = Element {
            name: format!("link{number}"),
            class: "RouterLink".into(),
            config: format!("{}, {}", says(out), says(into)),
            landmark: self.elements[out.1].landmark.clone(),
        };
        self.elements.push(element);
        for connection in &mut self.connections {
            if connection.to.element == out.1 {
                connection.to.element = link;
            }
            if connection.from.element == into.1 {
                connection.from.element = link;
            }
        }
    }

    /// The part of a combined router that was the router of this name, its devices where links
    /// are.
    #[must_use]
    pub fn uncombine(&self, name: &str) -> Router {
        let mut part = self.clone();
        fn inside<'a>(element: &'a Element, router: &str) -> Option<&'a str> {
            element.name.strip_prefix(router)?.strip_prefix('/')
        }
        let mut keep: Vec<bool> = self
            .elements
            .iter()
            .map(|e| inside(e, name).is_some())
            .collect();
        for (index, element) in self.elements.iter().enumerate() {
            if let Some(own) = inside(element, name) {
                part.elements[index].name = own.to_owned();
            } else if element.class == "RouterLink" {
                part.unlink(index, name, &mut keep);
            }
        }
        part.compact(&keep);
        part
    }

    /// Puts the devices of one router in the place of a link.
    fn unlink(&mut self, link: usize, router: &str, keep: &mut Vec<bool>) {
        let landmark = self.elements[link].landmark.clone();
        for argument in arguments(&self.elements[link].config) {
            let [owner, class, config] = words(&argument)[..] else {
                continue;
            };
            if owner != router {
                continue;
            }
            let index = self.elements.len();
            for connection in &mut self.connections {
                let end = if class == "ToDevice" {
                    &mut connection.to
                } else {
                    &mut connection.from
                };
                if end.element == link {
                    end.element = index;
                }
            }
            self.elements.push(Element {
                name: format!("{}_{class}", self.elements[link].name),
                class: class.to_owned(),
                config: unquote(config),
                landmark: landmark.clone(),
            });
            keep.push(true);
        }
    }
}

fn quote(config: &str) -> String {
    format!("\"{}\"", config.replace('\\', "\\\\").replace('"', "\\\""))
}

fn unquote(word: &str) -> String {
    let inner = word.strip_prefix('"').and_then(|w| w.strip_suffix('"'));
    let mut out = String::new();
    let mut chars = inner.unwrap_or(word).chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' {
            chars.next().unwrap_or(c)
        } else {
            c
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, parse};

    #[test]
    fn routers_are_joined_and_taken_apart() {
        let read = |text: &str| parse(text, "t", &Options::default()).unwrap();
        let a = read("s :: Source -> q :: Queue -> ToDevice(eth0, N 2);");
        let b = read("FromDevice(eth1) -> d :: Discard;");
        let name = |r: &str, d: &str| (r.to_owned(), d.to_owned());
        let mut link = Link {
            from: name("A", "eth0"),
            to: name("B", "eth1"),
        };
        let routers = [("A".to_owned(), a), ("B".to_owned(), b)];
        let both = combine(&routers, &[link.clone()]).unwrap();
        let text = both.unparse(false);
        assert!(
            text.contains("link1 :: RouterLink(A ToDevice \"eth0, N 2\", B FromDevice \"eth1\");")
        );
        assert!(text.contains("A/q\n    -> link1\n    -> B/d;"), "{text}");
        let back = both.uncombine("B").unparse(false);
        let wanted =
            "d :: Discard;\nlink1_FromDevice :: FromDevice(eth1);\nlink1_FromDevice -> d;\n";
        assert_eq!(back, wanted);
        link.to.1 = "eth7".into();
        assert_eq!(combine(&routers, &[link]).unwrap_err(), "A.eth0=B.eth7");
    }
}
