//! What BIND's daemon needs before it starts: its key, and a configuration that its version
//! understands as the version meant that it was written for.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use super::say_err;
use super::setup::{Done, give, told};

/// What BIND needs: its key, and a configuration without what it knows no more.
pub(super) fn prepare() -> Done {
    rndc_key()?;
    leave_out_ancient();
    match unsigned_root(&checked(&["-p"])) {
        true => unvalidated(),
        false => Ok(()),
    }
}

/// What named-checkconf says.
fn checked(args: &[&str]) -> String {
    let out = Command::new("named-checkconf").args(args).output();
    let text = out
        .map(|o| [o.stdout, o.stderr].concat())
        .unwrap_or_default();
    String::from_utf8_lossy(&text).into_owned()
}

/// Makes comments of all options that are no more.
fn leave_out_ancient() {
    // it stops at the first
    for _ in 0..16 {
        let mut changed = false;
        for (file, line, option) in ancient(&checked(&[])) {
            if leave_out(&file, line, &option).is_ok_and(|done| done) {
                say_err(&format!(
                    "telaio: {file}:{line}: this BIND has no `{option}` any more: it is left out"
                ));
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
}

/// Whether a configuration, as named-checkconf prints it, has a root zone of its own and says
/// nothing of validation. BIND before 9.13 validated nothing then; today's takes the real root's
/// key for granted, and by it every answer below another root is forged.
fn unsigned_root(printed: &str) -> bool {
    if printed.contains("dnssec-validation") || printed.contains("trust-anchors") {
        return false;
    }
    let root = printed.split_once("zone \".\"").map(|(_, rest)| rest);
    let block = root
        .and_then(|r| r.split_once("};"))
        .map(|(block, _)| block);
    let file = block.and_then(|b| b.split_once("file \"")?.1.split('"').next());
    file.is_some_and(|file| !has_real_root(&fs::read_to_string(file).unwrap_or_default()))
}

/// Whether a zone names the Internet's own root servers.
fn has_real_root(zone: &str) -> bool {
    zone.to_ascii_lowercase().contains("root-servers.net")
}

/// Has the configuration say that nothing is validated.
fn unvalidated() -> Done {
    let (main, part) = ("/etc/bind/named.conf", "/etc/bind/named.conf.options");
    let text = told(fs::read_to_string(main), main)?;
    let of_part = || in_options(&fs::read_to_string(part).ok()?);
    let (file, new) = if let Some(new) = in_options(&text) {
        (main, new)
    } else if let Some(new) = of_part().filter(|_| text.contains(part)) {
        (part, new)
    } else {
        (main, format!("{text}\noptions {{ {UNVALIDATED} }};\n"))
    };
    told(fs::write(file, new), file)?;
    say_err(&format!(
        "telaio: {file}: the root of this lab is not signed: `{UNVALIDATED}` is added"
    ));
    Ok(())
}

const UNVALIDATED: &str = "dnssec-validation no;";

/// A configuration with the statement at the begin of its options; none: it has no options.
fn in_options(text: &str) -> Option<String> {
    let mut done = false;
    let line = |line: &str| {
        let rest = line.trim_start().strip_prefix("options");
        match rest.and_then(|r| r.trim_start().strip_prefix('{')) {
            Some(rest) if !done => {
                done = true;
                format!("options {{ {UNVALIDATED}{rest}\n")
            }
            _ => format!("{line}\n"),
        }
    };
    let text: String = text.lines().map(line).collect();
    done.then_some(text)
}

/// `FILE:LINE: option 'X' no longer exists` of named-checkconf: what older versions allowed and
/// this one refuses to start with.
fn ancient(text: &str) -> Vec<(String, usize, String)> {
    let one = |line: &str| {
        let (place, rest) = line.split_once(": option '")?;
        let option = rest.strip_suffix("' no longer exists")?;
        let (file, number) = place.rsplit_once(':')?;
        Some((file.to_owned(), number.parse().ok()?, option.to_owned()))
    };
    text.lines().filter_map(one).collect()
}

/// Makes a comment of a line, if all of an option stands on it.
fn leave_out(file: &str, number: usize, option: &str) -> std::io::Result<bool> {
    let text = fs::read_to_string(file)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some(line) = number.checked_sub(1).and_then(|i| lines.get_mut(i)) else {
        return Ok(false);
    };
    let whole = line.trim();
    if !whole.starts_with(option) || whole.matches(';').count() != 1 || whole.contains(['{', '}']) {
        return Ok(false);
    }
    line.insert_str(0, "// ");
    fs::write(file, lines.join("\n") + "\n").map(|()| true)
}

/// rndc's key; the name server and its control program must share it.
fn rndc_key() -> Done {
    let key = "/etc/bind/rndc.key";
    if Path::new(key).exists() || Path::new("/etc/bind/rndc.conf").exists() {
        return Ok(());
    }
    let mut secret = [0; 32];
    let mut random = told(fs::File::open("/dev/urandom"), "/dev/urandom")?;
    told(random.read_exact(&mut secret), "/dev/urandom")?;
    let secret = base64(&secret);
    told(fs::create_dir_all("/etc/bind"), "/etc/bind")?;
    let text =
        format!("key \"rndc-key\" {{\n\talgorithm hmac-sha256;\n\tsecret \"{secret}\";\n}};\n");
    told(fs::write(key, text), key)?;
    private(key)?;
    give(key, "bind:bind")
}

fn private(path: &str) -> Done {
    use std::os::unix::fs::PermissionsExt;
    told(
        fs::set_permissions(path, fs::Permissions::from_mode(0o640)),
        path,
    )
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bind_knows_no_more_becomes_a_comment() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("options").display().to_string();
        fs::write(
            &file,
            "options {\n\tdnssec-enable no;\n\tlame { a; };\n};\n",
        )
        .unwrap();
        let said = format!(
            "{file}:2: option 'dnssec-enable' no longer exists\n{file}:3: option 'lame' no longer exists\nx\n"
        );
        let found = ancient(&said);
        assert_eq!(found.len(), 2);
        let done: Vec<_> = found
            .iter()
            .map(|(f, l, o)| leave_out(f, *l, o).unwrap())
            .collect();
        assert_eq!(done, [true, false]);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(
            text,
            "options {\n// \tdnssec-enable no;\n\tlame { a; };\n};\n"
        );
    }

    #[test]
    fn a_root_of_a_lab_is_not_validated() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db.root");
        fs::write(&file, ". IN NS ROOT-SERVER.\n").unwrap();
        let zone = format!(
            "options {{\n\tdirectory \"/x\";\n}};\nzone \".\" {{\n\ttype hint;\n\tfile \"{}\";\n}};\n",
            file.display()
        );
        assert!(unsigned_root(&zone));
        assert!(!unsigned_root(&format!("{zone}dnssec-validation yes;")));
        assert!(!unsigned_root("zone \"org\" {\n\tfile \"/x\";\n};\n"));
        fs::write(&file, ". 3600 NS A.ROOT-SERVERS.NET.\n").unwrap();
        assert!(!unsigned_root(&zone));
    }

    #[test]
    fn the_statement_goes_into_the_options() {
        let text = in_options("// x\noptions{ directory \"/x\";\n};\n").unwrap();
        let wanted = "// x\noptions { dnssec-validation no; directory \"/x\";\n};\n";
        assert_eq!(text, wanted);
        assert_eq!(in_options("zone \"x\" { };\n// options {\n"), None);
    }

    #[test]
    fn base64_as_the_standard_has_it() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
