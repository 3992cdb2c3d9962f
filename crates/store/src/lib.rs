//! Versions of any artifacts in one directory: drafted, published by one rename, rolled back, pruned.
//!
//! A version is an immutable directory below `versions/`. `CURRENT` names the one that readers use; replacing that file by a
//! rename is the only thing that publishes. Whoever writes holds one lock from the beginning to the end, so everything that a
//! crash left is known to be dead when the next writer holds it ([`Store::write`] settles and removes it). Readers take no lock
//! but a shared lease on the version they read, which keeps prune away from it.
//!
//! What a version contains is not this crate's business: files under names, and an opaque JSON value in the manifest.

mod activate;
mod adopt;
mod artifacts;
mod attach;
mod checked;
mod clash;
mod collect;
mod complete;
mod copy;
mod current;
mod current_reader;
mod draft;
mod error;
mod held;
mod history;
mod holder;
mod id;
mod in_place;
mod info;
mod inherit;
mod inspect;
mod integrity;
mod layout;
mod manifest;
mod name;
mod plan;
mod prune;
mod publish;
mod reading;
mod recover;
mod repair;
mod report;
mod snapshot;
mod state;
mod status;
mod store;
mod sums;
mod tags;
mod tree;
mod usage;
mod used_ids;
mod verify;
mod writer;

pub use activate::Activated;
pub use adopt::Adopted;
pub use attach::How;
pub use complete::Contents;
pub use current_reader::CurrentReader;
pub use cutover_durable::lock::LockWait;
pub use draft::{Draft, DraftOptions};
pub use error::{Error, Result};
pub use held::Held;
pub use holder::Holder;
pub use id::VersionId;
pub use in_place::{InPlace, Swap};
pub use info::{State, VersionInfo};
pub use integrity::Integrity;
pub use manifest::{Counts, FORMAT, FileEntry, Manifest};
pub use prune::{Keep, Pruned};
pub use publish::Published;
pub use repair::RepairReport;
pub use report::{Depth, Problem, ProblemKind, VerifyReport};
pub use snapshot::Snapshot;
pub use status::StoreStatus;
pub use store::{Store, StoreOptions};
pub use writer::Writer;
