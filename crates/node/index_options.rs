//! The options of opening an index and writing to it, as they come from JavaScript.

use cutover_index::threads;
use cutover_index::{Integrity, Keep, Models, OnCorrupt, Options, Result, Schema, StoreOptions};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OpenOptions {
    fields: Option<Value>,
    #[serde(default)]
    models: BTreeMap<String, Vec<String>>,
    create: bool,
    mode: Mode,
    freshness: Freshness,
    #[serde(default)]
    keep: KeepOptions,
    #[serde(default)]
    allow: Vec<Allow>,
    #[serde(default)]
    threads: Threads,
    build_memory_bytes: usize,
    integrity: IntegrityOption,
    on_corrupt: OnCorruptOption,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IntegrityOption {
    Sizes,
    Background,
    Digests,
}

impl From<IntegrityOption> for Integrity {
    fn from(option: IntegrityOption) -> Self {
        match option {
            IntegrityOption::Sizes => Self::Sizes,
            IntegrityOption::Background => Self::Background,
            IntegrityOption::Digests => Self::Digests,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OnCorruptOption {
    Refuse,
    FallBack,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    ReadWrite,
    ReadOnly,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Freshness {
    Eventual,
    Strict,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Allow {
    NetworkFileSystem,
    WritableByOthers,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KeepOptions {
    versions: Option<u32>,
    days: Option<f64>,
    max_bytes: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Threads {
    search: Option<usize>,
    build: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SwitchOptions {
    pub(crate) lock_timeout_ms: Option<f64>,
    pub(crate) if_current: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DraftOptions {
    pub(crate) operation: String,
    pub(crate) version: Option<String>,
    pub(crate) lock_timeout_ms: Option<f64>,
    pub(crate) if_current: Option<String>,
    pub(crate) activate: bool,
    #[serde(default)]
    pub(crate) attributes: serde_json::Map<String, Value>,
    pub(crate) on_invalid: OnInvalid,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnInvalid {
    Throw,
    Skip,
}

impl KeepOptions {
    /// What is not said is as in `defaults`.
    pub(crate) fn or(&self, defaults: Keep) -> Keep {
        Keep { versions: self.versions.unwrap_or(defaults.versions), days: self.days, max_bytes: self.max_bytes }
    }
}

impl OpenOptions {
    pub(crate) fn into_core(self) -> Result<Options> {
        let available = threads::available();
        Ok(Options {
            fields: self.fields.map(|fields| Schema::from_json(&fields.to_string())).transpose()?,
            models: Models::new(self.models),
            store: StoreOptions {
                create: self.create,
                read_only: self.mode == Mode::ReadOnly,
                allow_network: self.allow.contains(&Allow::NetworkFileSystem),
                allow_writable_by_others: self.allow.contains(&Allow::WritableByOthers),
                integrity: self.integrity.into(),
            },
            on_corrupt: match self.on_corrupt {
                OnCorruptOption::Refuse => OnCorrupt::Refuse,
                OnCorruptOption::FallBack => OnCorrupt::FallBack,
            },
            strict: self.freshness == Freshness::Strict,
            keep: self.keep.or(Keep::default()),
            search_threads: self.threads.search.unwrap_or(available),
            build_threads: self.threads.build.unwrap_or(available),
            build_memory_bytes: self.build_memory_bytes,
        })
    }
}
