// 'cutover/atomic': the primitives under an index, for files of your own. Old or new, never half, never nothing; each call
// returns once what it did survives a power cut.
export { rebuildInPlace } from './in-place.js'
export type { RebuildInPlaceOptions } from './in-place.js'
export { withLock } from './lock.js'
export type { LockOptions } from './lock.js'
export { replaceFile, replaceWith } from './replace.js'
export type { ReplaceOptions } from './replace.js'
export { CutoverError, isCutoverError } from '../errors.js'
export type { ErrorCode } from '../errors.js'
