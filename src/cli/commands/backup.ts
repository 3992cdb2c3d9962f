// `cutover backup`: one version as a directory of its own.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { command, opening, progressing } from '../command.js'
import type { Opening, Run } from '../command.js'
import { openVersions, using, versionOf } from '../directory.js'
import { bytes, duration } from '../human.js'
import { ProgressLine } from '../progress.js'
import type { ProgressMode } from '../progress.js'
import { versionJson } from '../versions-view.js'

interface Options extends Opening {
  readonly version?: string
  readonly progress: ProgressMode
}

/** Adds the command. */
export function addBackup(parent: Command, run: Run): void {
  const backup = command(
    parent,
    'backup <dir> <target>',
    'Copy one version, whole while writers go on, to a directory that can be opened by itself.',
    'cutover backup ./books /backup/books-$(date +%F)',
  ).option('--version <version>', 'this version: an id or a tag (default: the current one)')
  progressing(opening(backup)).action(
    run<[string, string, Options]>(async ({ out, signal }, dir, target, options) =>
      using(openVersions(dir, options, 'read-only'), async (store) => {
        const info = await versionOf(store, options.version ?? 'current')
        const line = new ProgressLine(options.progress, 'bytes')
        const began = performance.now()
        try {
          await store.copyTo(target, { version: info.id, signal, onProgress: line.show })
        } finally {
          line.end()
        }
        out.result({ path: resolve(target), version: versionJson(info) })
        const took = duration(performance.now() - began)
        out.lines(`Copied ${info.id} (${bytes(info.bytes)}) to ${resolve(target)} in ${took}.`)
      }),
    ),
  )
}
