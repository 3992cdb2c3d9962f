/// <reference lib="esnext.disposable" preserve="true" />
// The public names of `cutover/store`. Everything else is internal.
export { CutoverError, isCutoverError } from '../errors.js'
export type { ErrorCode } from '../errors.js'
export type { IndexEvents } from '../events.js'
export type { CopyOptions, PruneOptions, RepairOptions, VerifyOptions } from '../lifecycle.js'
export type { Abortable, LockOptions, Progress, WaitOptions } from '../options.js'
export type { Problem, PruneReport, RepairReport, VerifyReport } from '../reports.js'
export type { VersionInfo } from '../version.js'
export { adopt } from './adopt.js'
export type { AdoptOptions, Adopted } from './adopt.js'
export { openStore } from './open.js'
export type {
  Followed,
  StoreDraft,
  StoreOptions,
  StoreRebuildOptions,
  StoreSnapshot,
  StoreStatus,
  StoreWriteOptions,
  VersionStore,
} from './version-store.js'
