// Versions as the commands show them.
import type { VersionInfo } from '../version.js'
import { age, bytes, count, many, printable } from './human.js'
import type { Output } from './output.js'
import { pairs, table } from './table.js'

/** A version for programs: every member is there, `parent` null for a version without one. */
export const versionJson = (info: VersionInfo): object => ({ ...info, parent: info.parent ?? null })

/** A version for programs, or null. */
export const versionOrNull = (info: VersionInfo | undefined): object | null => (info ? versionJson(info) : null)

/** What became of a version, the current one first of all. */
const stateOf = ({ id, state }: VersionInfo, current: string | undefined): string =>
  id === current ? 'current' : state

/** Attributes on one line: `commit=abc n=5`. */
const attributesOf = (attributes: VersionInfo['attributes']): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .map(printable)
    .join(' ')

/** A table of versions. */
export function versionTable(versions: readonly VersionInfo[], current: string | undefined, out: Output): string[] {
  const columns = [
    { title: 'VERSION' },
    { title: 'STATE' },
    { title: 'DOCUMENTS', right: true },
    { title: 'SIZE', right: true },
    { title: 'AGE', right: true },
    { title: 'TAGS' },
    { title: 'ATTRIBUTES' },
  ]
  const rows = versions.map((info) => [
    info.id,
    stateOf(info, current),
    count(info.documents),
    bytes(info.bytes),
    age(info.createdAt),
    info.tags.join(','),
    attributesOf(info.attributes),
  ])
  return out.titled(table(columns, rows, out.columns))
}

/** Everything there is to say about one version. */
export function versionPairs(info: VersionInfo, current: string | undefined): string[] {
  const { duplicates, skipped, reused } = info.counts
  const told = [
    duplicates > 0 ? `${many(duplicates, 'duplicate')} replaced` : '',
    skipped > 0 ? `${count(skipped)} skipped` : '',
    reused > 0 ? `${count(reused)} reused` : '',
  ].filter((text) => text !== '')
  return pairs([
    ['version', info.id],
    ['state', stateOf(info, current)],
    ['made', `${info.createdAt.toISOString()}, ${age(info.createdAt)} ago`],
    ['from', info.parent ?? 'nothing'],
    ['documents', [count(info.documents), ...told].join(', ')],
    ['size', bytes(info.bytes)],
    ['tags', info.tags.join(', ') || 'none'],
    ['digest', info.digest],
    ...Object.entries(info.attributes).map(
      ([name, value]) =>
        [printable(name), printable(typeof value === 'string' ? value : JSON.stringify(value))] as const,
    ),
  ])
}

/** A version in a sentence: `0000000001-abc123 (12 documents, 3.4 KiB)`. What holds bytes and no documents holds other files. */
export const versionPhrase = ({ id, documents, bytes: size }: VersionInfo): string =>
  documents === 0 && size > 0 ? `${id} (${bytes(size)})` : `${id} (${many(documents, 'document')}, ${bytes(size)})`
