// `cutover create`: an index with a schema and nothing in it.
import type { Command } from 'commander'
import { CutoverError } from '../../errors.js'
import type { Fields } from '../../schema.js'
import { command, writing } from '../command.js'
import type { Run, Writing } from '../command.js'
import { openToWrite, using } from '../directory.js'
import { jsonArgument } from '../input.js'
import { versionJson } from '../versions-view.js'
import { lockOptions, whileWriting } from '../write.js'

interface Options extends Writing {
  readonly fields: string
}

/** Adds the command. */
export function addCreate(parent: Command, run: Run): void {
  const create = command(
    parent,
    'create <dir>',
    'Make an index: publishes an empty first version, which holds the schema.',
    `cutover create ./books --fields '{"title": {"type": "text"}, "year": {"type": "integer"}}'`,
  ).requiredOption('--fields <json|file>', 'the schema: JSON, a file of it, or - for stdin')
  writing(create).action(
    run<[string, Options]>(async (context, dir, options) => {
      const fields = (await jsonArgument(options.fields, '--fields')) as Fields
      return using(openToWrite(dir, options, { fields }), async (index) => {
        const info = await whileWriting(context, options, index, ({ show }) =>
          index.rebuild(
            // Asked once the lock is held: of two that create the same index, the second finds the first one's.
            async () => {
              if ((await index.versions()).length === 0) return []
              throw new CutoverError('CUTOVER_EXISTS', `${index.path} is an index already`, {
                detail: { path: index.path },
              })
            },
            { ...lockOptions(context, options), onProgress: show },
          ),
        )
        context.out.result({ path: index.path, version: versionJson(info) })
        context.out.lines(`Created ${index.path}: version ${info.id}, without documents.`)
      })
    }),
  )
}
