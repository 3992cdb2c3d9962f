/// <reference lib="esnext.disposable" preserve="true" />
// The public names of the package. Everything else is internal.
export { CutoverError, isCutoverError } from './errors.js'
export type { Embedding, EmbedOptions } from './embedding/types.js'
export type { ErrorCode } from './errors.js'
export type { IndexEvents } from './events.js'
export { importDirectory } from './import/import.js'
export type { ImportReport } from './import/import.js'
export type { Labels } from './import/labels.js'
export type { ImportOptions } from './import/options.js'
export { readVectors } from './import/vectors.js'
export type { ReadVectorsOptions, VectorRow } from './import/vectors.js'
export type { CopyOptions, PruneOptions, RepairOptions, VerifyOptions } from './lifecycle.js'
export { openIndex, openTemporary } from './open.js'
export type {
  Abortable,
  LockOptions,
  OpenOptions,
  Progress,
  RebuildOptions,
  WaitOptions,
  WriteOptions,
} from './options.js'
export type {
  Facets,
  Filter,
  Highlight,
  HighlightOptions,
  Hit,
  Reranked,
  NearQuery,
  Explanation,
  Query,
  ScoreExplanation,
  TermExplanation,
  VectorExplanation,
  Results,
  SearchOptions,
  Select,
  TextQuery,
  VectorQuery,
} from './query-types.js'
export type { DocumentsOptions, Listed, Readable } from './read.js'
export type { Problem, PruneReport, RepairReport, VerifyReport } from './reports.js'
export { defineFields } from './schema.js'
export type {
  Analyzer,
  Document,
  Field,
  Fields,
  Input,
  KeywordField,
  Language,
  Metric,
  NumberField,
  StoredField,
  TextField,
  VectorField,
} from './schema.js'
export type { SearchIndex, Source } from './search-index.js'
export type { Snapshot, SnapshotSearchOptions } from './snapshot.js'
export type { IndexStatus, VersionInfo } from './version.js'
