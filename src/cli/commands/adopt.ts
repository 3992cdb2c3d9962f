// `cutover adopt`: versions that other software laid out, in place.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { adopt } from '../../store/adopt.js'
import { command, opening, progressing } from '../command.js'
import type { Opening, Run } from '../command.js'
import { openVersions, using } from '../directory.js'
import { EXIT } from '../exit.js'
import { printable } from '../human.js'
import { ProgressLine } from '../progress.js'
import type { ProgressMode } from '../progress.js'
import { pairs } from '../table.js'
import { versionJson, versionTable } from '../versions-view.js'

interface Options extends Opening {
  readonly progress: ProgressMode
}

/** Adds the command. */
export function addAdopt(parent: Command, run: Run): void {
  const adopts = command(
    parent,
    'adopt <dir>',
    'Take over a directory of versions/<id>/ and CURRENT that other software made: digests are made, nothing is moved.',
    'cutover adopt ./indexes',
  )
  progressing(opening(adopts)).action(
    run<[string, Options]>(async ({ out, signal }, dir, options) => {
      const line = new ProgressLine(options.progress, 'bytes')
      try {
        const { versions, refused } = await adopt(dir, {
          signal,
          onProgress: line.show,
          ...(options.allow ? { allow: options.allow } : {}),
        })
        const current = await using(openVersions(dir, options, 'read-only'), (store) => store.current())
        out.result({ path: resolve(dir), versions: versions.map(versionJson), refused })
        out.lines(
          ...(versions.length > 0 ? versionTable(versions, current?.id, out) : ['There are no versions to adopt.']),
          ...pairs(refused.map(({ name, reason }) => [`refused ${printable(name)}`, printable(reason)] as const)),
        )
        return refused.length === 0 ? EXIT.ok : EXIT.problem
      } finally {
        line.end()
      }
    }),
  )
}
