//! Files, mounts and scripts of a node.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Files that a node finds at start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FileItem {
    /// Where in the node (absolute).
    pub to: PathBuf,
    /// A file, or a folder whose content is copied; relative to the lab's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The content itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Permissions in octal (`"0644"`); by default those of `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `user` or `user:group` by the node's names; `root:root` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether what symbolic links in the folder point to is copied, not the links. By default
    /// only with the profile `kathara`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<bool>,
    /// Whether text files lose byte-order marks and the carriage returns at the ends of their
    /// lines. By default with the profiles `kathara` and `netkit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unix_lines: Option<bool>,
}

/// A folder of the host that a node shares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Folder on the host, relative to the lab's folder.
    pub host: PathBuf,
    /// Where in the node (absolute).
    pub at: PathBuf,
    /// Whether the node may only read it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Whether the folder is made when it is not there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
}

/// Something that a node runs at its start or end, by `bash`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Script {
    /// Shell text.
    Run(String),
    /// A file of the lab.
    File {
        /// Relative to the lab's folder.
        file: PathBuf,
    },
}

// by hand, since serde's untagged enums forget where a mistake was
impl<'de> Deserialize<'de> for Script {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScriptVisitor)
    }
}

struct ScriptVisitor;

impl<'de> Visitor<'de> for ScriptVisitor {
    type Value = Script;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shell text, or a mapping with `file`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Script, E> {
        Ok(Script::Run(text.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Script, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            file: PathBuf,
        }
        let File { file } = File::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Script::File { file })
    }
}
