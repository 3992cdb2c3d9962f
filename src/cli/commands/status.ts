// `cutover status`, `ls` and `show`: what there is.
import type { Command } from 'commander'
import type { StoreStatus, VersionStore } from '../../store/version-store.js'
import { command, opening } from '../command.js'
import type { Opening, Run } from '../command.js'
import { manifestOf, openVersions, using, versionOf } from '../directory.js'
import { messageOf } from '../exit.js'
import { age, bytes, many, printable } from '../human.js'
import { pairs, table } from '../table.js'
import { versionJson, versionOrNull, versionPairs, versionPhrase, versionTable } from '../versions-view.js'

/** Adds the commands. */
export function addStatus(parent: Command, run: Run): void {
  const status = command(
    parent,
    'status <dir>',
    'Tell what is current, who writes, who reads, and what is missing.',
    'cutover status ./books',
  )
  opening(status).action(
    run<[string, Opening]>(async ({ out }, dir, options) =>
      using(openVersions(dir, options, 'read-only'), async (open) => {
        const now = await open.status()
        out.result(statusJson(open.path, now))
        out.lines(...pairs(statusPairs(open.path, now, await currentOf(open))))
      }),
    ),
  )

  const list = command(parent, 'ls <dir>', 'List the versions, oldest first.', 'cutover ls ./books')
  opening(list).action(
    run<[string, Opening]>(async ({ out }, dir, options) =>
      using(openVersions(dir, options, 'read-only'), async (open) => {
        const [versions, { current }] = await Promise.all([open.versions(), open.status()])
        out.result({ current: current?.id ?? null, versions: versions.map(versionJson) })
        if (versions.length > 0) out.lines(...versionTable(versions, current?.id, out))
        if (!current) out.note(await currentOf(open))
      }),
    ),
  )

  const show = command(
    parent,
    'show <dir> [version]',
    'Tell everything about a version: an id, a tag, or the current one.',
    'cutover show ./books v2 --files',
  ).option('--files', 'list its files and their sizes')
  opening(show).action(
    run<[string, string | undefined, Opening & { readonly files?: true }]>(async ({ out }, dir, version, options) =>
      using(openVersions(dir, options, 'read-only'), async (open) => {
        const info = await versionOf(open, version ?? 'current')
        const { current } = await open.status()
        const files = options.files ? (await manifestOf(open, info.id)).files : undefined
        out.result({ current: info.id === current?.id, version: versionJson(info), files: files ?? null })
        out.lines(...versionPairs(info, current?.id))
        if (!files) return
        const rows = files.map(({ name, bytes: size }) => [bytes(size), printable(name)])
        out.lines('', ...out.titled(table([{ title: 'SIZE', right: true }, { title: 'FILE' }], rows)))
      }),
    ),
  )
}

/** What is current, in words, whatever is wrong with it. */
const currentOf = (open: VersionStore): Promise<string> =>
  versionOf(open, 'current').then((info) => `${versionPhrase(info)}, made ${age(info.createdAt)} ago`, messageOf)

const statusJson = (path: string, status: StoreStatus): object => {
  const { current, versions, bytes: size, freeBytes, locked, lock, inUse, drafts, limitations } = status
  return {
    path,
    current: versionOrNull(current),
    versions,
    bytes: size,
    freeBytes,
    locked,
    lock: lock ?? null,
    inUse,
    drafts,
    limitations,
  }
}

function statusPairs(path: string, status: StoreStatus, current: string): (readonly [string, string])[] {
  return [
    ['path', path],
    ['current', current],
    [
      'versions',
      `${many(status.versions, 'version')}, ${bytes(status.bytes)} together; ${bytes(status.freeBytes)} free`,
    ],
    ['in use', status.inUse.join(', ') || 'none'],
    ['writer', writerOf(status)],
    ['drafts', draftsOf(status)],
    ...status.limitations.map((limitation) => ['note', limitation] as const),
  ]
}

function writerOf({ locked, lock }: StoreStatus): string {
  if (lock) return `process ${lock.pid} on ${lock.host}: ${lock.operation}, since ${age(lock.since)}`
  return locked ? 'a process that did not say which it is holds the lock' : 'none'
}

function draftsOf({ drafts, locked }: StoreStatus): string {
  if (drafts === 0) return 'none'
  return locked ? String(drafts) : `${drafts}, left by a process that ended: the next write removes what is dead`
}
