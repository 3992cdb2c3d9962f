// `cutover get`: documents by id.
import type { Command } from 'commander'
import { command, opening } from '../command.js'
import type { Opening, Run } from '../command.js'
import { reading, using, versionOf } from '../directory.js'
import { fieldLines } from '../documents-view.js'
import { EXIT } from '../exit.js'
import { printable } from '../human.js'

interface Options extends Opening {
  readonly version?: string
}

/** Adds the command. */
export function addGet(parent: Command, run: Run): void {
  const get = command(
    parent,
    'get <dir> <ids...>',
    'Show documents by id, vectors included; ends with 4 if one is not there.',
    'cutover get ./books silent-spring',
  ).option('--version <version>', 'of this version: an id, a tag (default: the current one)')
  opening(get).action(
    run<[string, string[], Options]>(async ({ out }, dir, ids, options) =>
      reading(dir, options, async (index) => {
        const version = options.version === undefined ? {} : { version: (await versionOf(index, options.version)).id }
        return using(index.snapshot(version), async (snapshot) => {
          const documents = await snapshot.getMany(ids)
          out.result({ version: snapshot.version.id, documents })
          for (const [at, document] of documents.entries()) {
            if (document) out.lines(out.paint('bold', printable(document.id)), ...fieldLines(document, out, true))
            else if (!out.json) out.note(`there is no document ${ids[at]} in version ${snapshot.version.id}`)
          }
          return documents.includes(undefined) ? EXIT.notFound : EXIT.ok
        })
      }),
    ),
  )
}
