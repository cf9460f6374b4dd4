//! Any text at all is read or refused: never a panic, never a place that is not in the text.

use std::fs;

use diag::Diagnostics;
use formats::{Dialect, Options};
use proptest::prelude::*;

/// Reads a lab of these files, and looks at every place that is named.
fn tried(files: &[(&str, &[u8])], dialect: Option<Dialect>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let options = Options {
        dialect,
        ..Options::default()
    };
    match formats::read(folder.path(), &options) {
        Ok(read) => {
            places(&read.diagnostics)?;
            let text = formats::to_yaml(&read.lab).unwrap();
            fs::write(folder.path().join("telaio.yaml"), &text).unwrap();
            let again = formats::read(folder.path(), &Options::default());
            let again = again.map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
            prop_assert_eq!(again.lab, read.lab);
        }
        Err(wrong) => {
            prop_assert!(wrong.has_errors());
            places(&wrong)?;
        }
    }
    Ok(())
}

fn places(list: &Diagnostics) -> Result<(), TestCaseError> {
    for place in list.iter().filter_map(|d| d.place.as_ref()) {
        let text = place.source.text();
        prop_assert!(text.get(place.span.clone()).is_some(), "{:?}", place.span);
        let (line, column) = place.line_column();
        prop_assert!(line >= 1 && column >= 1);
    }
    let escapes = list.render(false).contains('\u{1b}');
    prop_assert!(!escapes, "a lab writes to the terminal");
    Ok(())
}

fn dialect() -> impl Strategy<Value = Option<Dialect>> {
    prop_oneof![
        Just(None),
        Just(Some(Dialect::Netkit)),
        Just(Some(Dialect::NetkitJh)),
        Just(Some(Dialect::Kathara)),
    ]
}

/// Lines that are nearly those of a `lab.conf`.
fn conf_line() -> impl Strategy<Value = String> {
    let name = "(r1|pc2|R-3|shared|é|)";
    let option = "(0|1|2|07|99999999999|mem|image|M|port|sysctl|env|ulimit|volume|exec|ipv6|cpus|num_terms|imgae|tap|)";
    let value = "(A|\"B\"|'C|tap,10.0.0.1,10.0.0.2|A/02:00:00:00:00:01|A/zz|64m|80:80/udp|net.ipv4.x.y=1|K=V|nofile=1:2|a\\|/b\\|rw|true|1.5|kathara/frr|# x|é \"q\"|\\PC{0,12})";
    prop_oneof![
        6 => (name, option, " {0,1}", value).prop_map(|(n, o, s, v)| format!("{n}[{o}]{s}={s}{v}")),
        1 => "(LAB_NAME|LAB_MACHINES|machines|LAB_X)=\\PC{0,16}",
        1 => "(LAB_AUTHOR=\"x\"|LAB_AUTHOR='x)r1\\[1\\]=B",
        1 => "\\PC{0,30}",
    ]
}

/// A `telaio.yaml` with parts left out, doubled or changed.
fn mutated(base: &'static str) -> impl Strategy<Value = String> {
    let spot = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        "[-:{}\\[\\],&*#|>'\" \n\ta0é~<]{0,3}",
    );
    prop::collection::vec(spot, 1..6).prop_map(move |spots| {
        let mut text: Vec<char> = base.chars().collect();
        for (at, end, new) in spots {
            let at = at.index(text.len() + 1);
            let end = (at + end.index(8)).min(text.len());
            text.splice(at..end, new.chars());
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_as_lab_conf(bytes in prop::collection::vec(any::<u8>(), 0..400), dialect in dialect()) {
        tried(&[("lab.conf", &bytes)], dialect)?;
    }

    #[test]
    fn lines_as_lab_conf(
        lines in prop::collection::vec(conf_line(), 0..20),
        end in "(\n|\r\n)",
        dialect in dialect(),
    ) {
        tried(&[("lab.conf", lines.join(&end).as_bytes())], dialect)?;
    }

    #[test]
    fn anything_as_lab_dep_and_lab_ext(
        dep in "((a|b|c|é|zz|:|::| |\t|\n|\r\n|\\\\\n|#|\\$|%|=){0,40}|\\PC{0,60})",
        ext in "((A|B| |\t|\n|eth0|eth0\\.7|\\.9|#|é){0,30}|\\PC{0,60})",
    ) {
        let conf = b"a[0]=A\nb[0]=A\nc[0]=B\n";
        tried(&[("lab.conf", conf), ("lab.dep", dep.as_bytes()), ("lab.ext", ext.as_bytes())], None)?;
    }

    #[test]
    fn bytes_as_yaml(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        tried(&[("telaio.yaml", &bytes)], None)?;
    }

    #[test]
    fn mutated_yaml(text in mutated(include_str!("labs/native/telaio.yaml"))) {
        tried(&[("telaio.yaml", text.as_bytes())], None)?;
    }

    #[test]
    fn mutated_example(text in mutated(include_str!("../../../examples/triangle/telaio.yaml"))) {
        tried(&[("telaio.yaml", text.as_bytes())], None)?;
    }

    /// Texts of a lab come back as they were, whatever is in them.
    #[test]
    fn texts_survive_yaml(text in "(\\PC|\n|\t| |\r|:|#|'|\"|\u{85}|\u{feff}|-){0,60}", name in "[a-z]{1,8}") {
        let mut lab = lab::Lab { telaio: 1, name, ..lab::Lab::default() };
        let mut node = lab::Node::default();
        node.environment.insert("TEXT".into(), text.clone());
        node.startup.push(lab::Script::Run(text.clone()));
        node.files.push(lab::FileItem { to: "/x".into(), text: Some(text.clone()), ..lab::FileItem::default() });
        lab.info.description = text;
        lab.nodes.insert("a".into(), node);
        let yaml = formats::to_yaml(&lab).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("telaio.yaml"), &yaml).unwrap();
        let read = formats::read(folder.path(), &Options::default());
        let read = read.map_err(|e| TestCaseError::fail(format!("{e}\n{yaml}")))?;
        prop_assert_eq!(read.lab, lab, "{}", yaml);
    }
}
