// Versions and the state of an index, as the native layer tells them and as the package shows them.

/** A version of an index. */
export interface VersionInfo {
  /** Never used twice, whatever is pruned or rolled back. */
  readonly id: string
  readonly sequence: number
  /** The version that was current when this one was made. */
  readonly parent?: string
  readonly createdAt: Date
  /** `prepared`: complete, never current. `withdrawn`: rolled back from; never made current again except by name. */
  readonly state: 'prepared' | 'published' | 'withdrawn'
  readonly documents: number
  /** Size of its files; versions share some of them. */
  readonly bytes: number
  /** SHA-256 of the version's SHA256SUMS: what it contains, wherever it is. */
  readonly digest: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly tags: readonly string[]
  /** Of the write that made it: duplicate ids (last wins), invalid documents skipped, documents and vectors reused. */
  readonly counts: { readonly duplicates: number; readonly skipped: number; readonly reused: number }
}

/** The state of an index, as far as this file system and this open can tell. */
export interface IndexStatus {
  readonly current: VersionInfo | undefined
  readonly versions: number
  readonly bytes: number
  readonly freeBytes: number
  /** Whether somebody holds the writer lock, a program of any kind. */
  readonly locked: boolean
  /** Who holds it, if they said so. */
  readonly lock:
    | { readonly pid: number; readonly host: string; readonly since: Date; readonly operation: string }
    | undefined
  /** Versions that some process holds. */
  readonly inUse: readonly string[]
  readonly drafts: number
  /** What this index object did since it was opened: queries answered without opening a version, versions opened, milliseconds that the last opening took. */
  readonly cache: { readonly hits: number; readonly reloads: number; readonly lastReloadMs: number }
  /** The last publish through this index object: milliseconds until other processes could see it, and until it was on the device. */
  readonly lastPublish: { readonly version: string; readonly visibleMs: number; readonly durableMs: number } | undefined
  /** What this file system or this open cannot give: leases, hard links, durable renames, a case-sensitive `current`. */
  readonly limitations: readonly string[]
}

type Told = Omit<VersionInfo, 'createdAt' | 'parent'> & { created: number; parent?: string | null }

function infoOf(told: Told): VersionInfo {
  const { id, sequence, parent, created, state, documents, bytes, digest, attributes, tags, counts } = told
  const { duplicates, skipped, reused } = counts
  return Object.freeze({
    id,
    sequence,
    ...(parent === null || parent === undefined ? {} : { parent }),
    createdAt: new Date(created),
    state,
    documents,
    bytes,
    digest,
    attributes,
    tags,
    counts: { duplicates, skipped, reused },
  })
}

/** A version from its JSON. */
export const parseInfo = (json: string): VersionInfo => infoOf(JSON.parse(json) as Told)

/** Versions from their JSON. */
export const parseInfos = (json: string): VersionInfo[] => (JSON.parse(json) as Told[]).map(infoOf)

/** What a publish did. */
export interface Published {
  readonly info: VersionInfo
  readonly visibleMs: number
  readonly durableMs: number
}

/** A publish from its JSON. */
export function parsePublished(json: string): Published {
  const { info, visibleMs, durableMs } = JSON.parse(json) as { info: Told; visibleMs: number; durableMs: number }
  return { info: infoOf(info), visibleMs, durableMs }
}

interface ToldStatus extends Omit<IndexStatus, 'current' | 'lock' | 'lastPublish'> {
  current: Told | null
  lock: { pid: number; host: string; since: number; operation: string } | null
}

/** The status from its JSON. */
export function parseStatus(json: string, last: Published | undefined): IndexStatus {
  const told = JSON.parse(json) as ToldStatus
  const { versions, bytes, freeBytes, locked, inUse, drafts, cache, limitations } = told
  return {
    current: told.current ? infoOf(told.current) : undefined,
    versions,
    bytes,
    freeBytes,
    locked,
    lock: told.lock ? { ...told.lock, since: new Date(told.lock.since) } : undefined,
    inUse,
    drafts,
    cache,
    lastPublish: last && { version: last.info.id, visibleMs: last.visibleMs, durableMs: last.durableMs },
    limitations,
  }
}
