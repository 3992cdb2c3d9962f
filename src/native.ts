// The one door to the addon: the loader and its types as @napi-rs/cli generates them.
export {
  CancelToken,
  NativeAnswers,
  NativeInPlace,
  NativeIndex,
  NativeLock,
  NativeProgress,
  NativeReplacement,
  NativeStore,
  NativeWriterLock,
} from '../index.js'
export type {
  Answer,
  NativeDraft,
  NativeEmbeddings,
  NativeSnapshot,
  NativeStoreDraft,
  NativeStoreSnapshot,
} from '../index.js'
