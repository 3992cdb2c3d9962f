//! The calls of `NativeStore` that look after versions: verify, repair, copy, adopt.

use crate::convert::{CancelToken, flag, options, version_info};
use crate::index_options::SwitchOptions;
use crate::progress::{NativeProgress, meter};
use crate::store::{NativeStore, OpenStoreOptions};
use crate::task::promise;
use cutover_index::{Result, Wait, threads};
use cutover_store::{Depth, Store, VersionId};
use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerifyOptions {
    version: Option<String>,
    depth: VerifyDepth,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum VerifyDepth {
    Sizes,
    Digests,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RepairOptions {
    to: Option<String>,
    dry_run: bool,
}

fn id(version: Option<&str>) -> Result<Option<VersionId>> {
    Ok(version.map(VersionId::parse).transpose()?)
}

#[napi]
impl NativeStore {
    /// Compares versions with what they were published as; the report as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn verify<'e>(
        &self,
        env: &'e Env,
        options: String,
        progress: Option<&NativeProgress>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let (meter, cancel) = (meter(progress), flag(cancel));
        self.apart(env, move |shared| {
            let VerifyOptions { version, depth } = self::options(&options)?;
            let depth = match depth {
                VerifyDepth::Sizes => Depth::Sizes,
                VerifyDepth::Digests => Depth::Digests,
            };
            let version = id(version.as_deref())?;
            let report =
                shared
                    .store
                    .verify(version.as_ref(), depth, &|done, total| meter.set(done, total), &|| cancel.is_set())?;
            Ok(json!(report).to_string())
        })
    }

    /// Sets damaged versions aside and makes one that is whole current; the report as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn repair<'e>(
        &self,
        env: &'e Env,
        what: String,
        options: String,
        progress: Option<&NativeProgress>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let (meter, cancel) = (meter(progress), flag(cancel));
        self.apart(env, move |shared| {
            let RepairOptions { to, dry_run } = self::options(&what)?;
            let wait: SwitchOptions = self::options(&options)?;
            let to = id(to.as_deref())?;
            let report = shared.store.repair(
                to.as_ref(),
                dry_run,
                Wait::new(wait.lock_timeout_ms, None).lock,
                &|done, total| meter.set(done, total),
                &|| cancel.is_set(),
            )?;
            shared.forget();
            Ok(json!(report).to_string())
        })
    }

    /// Copies a version to a directory that becomes a store of its own; the copy's facts as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn copy_to<'e>(
        &self,
        env: &'e Env,
        directory: String,
        version: Option<String>,
        progress: Option<&NativeProgress>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let (meter, cancel) = (meter(progress), flag(cancel));
        self.apart(env, move |shared| {
            let version = id(version.as_deref())?;
            let copied = shared.store.copy_to(
                Path::new(&directory),
                version.as_ref(),
                &|done, total| meter.set(done, total),
                &|| cancel.is_set(),
            )?;
            Ok(version_info(&copied)?.to_string())
        })
    }

    /// Makes a store of versions that other software laid out; what there is now, and what was left alone, as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn adopt<'e>(
        env: &'e Env,
        path: String,
        options: String,
        progress: Option<&NativeProgress>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let (meter, cancel) = (meter(progress), flag(cancel));
        promise(
            env,
            |job| threads::spawn("cutover-adopt", job),
            move || {
                let options: OpenStoreOptions = self::options(&options)?;
                let adopted =
                    Store::adopt(Path::new(&path), options.store(), &|done, total| meter.set(done, total), &|| {
                        cancel.is_set()
                    })?;
                let versions = adopted.versions.iter().map(version_info).collect::<Result<Vec<Value>>>()?;
                let refused: Vec<Value> =
                    adopted.refused.iter().map(|(name, why)| json!({ "name": name, "reason": why })).collect();
                Ok(json!({ "versions": versions, "refused": refused }).to_string())
            },
        )
    }
}
