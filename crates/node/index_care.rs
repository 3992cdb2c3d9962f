//! What looks after an index's versions: the store's calls, and a verify that knows what versions contain.

use crate::convert::{CancelToken, flag, options};
use crate::index::NativeIndex;
use crate::progress::{NativeProgress, meter};
use crate::store::NativeStore;
use crate::task::now;
use cutover_index::{Depth, Error};
use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyOptions {
    version: Option<String>,
    depth: DepthOption,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum DepthOption {
    Sizes,
    Digests,
    Contents,
}

impl From<DepthOption> for Depth {
    fn from(option: DepthOption) -> Self {
        match option {
            DepthOption::Sizes => Self::Sizes,
            DepthOption::Digests => Self::Digests,
            DepthOption::Contents => Self::Contents,
        }
    }
}

#[napi]
impl NativeIndex {
    /// The same directory as a store of versions.
    #[napi]
    pub fn store(&self) -> napi::Result<NativeStore> {
        now(|| {
            let (store, keep) = self.index.store()?;
            Ok(NativeStore::new(store, keep))
        })
    }

    /// Verifies all versions, or one, down to what they contain; the report as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn verify<'e>(
        &self,
        env: &'e Env,
        options: String,
        progress: Option<&NativeProgress>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let (meter, cancel) = (meter(progress), flag(cancel));
        self.apart(env, move |index| {
            let VerifyOptions { version, depth } = self::options(&options)?;
            let report =
                index.verify(version.as_deref(), depth.into(), &|done, total| meter.set(done, total), &cancel)?;
            serde_json::to_string(&report).map_err(|e| Error::Internal(format!("writing a report: {e}")))
        })
    }
}
