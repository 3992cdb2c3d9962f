// `cutover tag`: names for versions that are to be kept.
import type { Command } from 'commander'
import { command, writing } from '../command.js'
import type { Run, Writing } from '../command.js'
import { openVersions, using, versionOf } from '../directory.js'
import { EXIT, Failure } from '../exit.js'
import { lockOptions, whileWriting } from '../write.js'

interface Options extends Omit<Writing, 'ifCurrent'> {
  readonly delete?: true
}

/** Adds the command. */
export function addTag(parent: Command, run: Run): void {
  const tag = command(
    parent,
    'tag <dir> <name> [version]',
    'Name a version, the current one unless given, so that it is kept; a tag moves.',
    `cutover tag ./books known-good
cutover rollback ./books known-good`,
  ).option('--delete', 'remove the tag')
  writing(tag, { change: false }).action(
    run<[string, string, string | undefined, Options]>(async (context, dir, name, version, options) => {
      if (options.delete && version !== undefined) throw new Failure('--delete takes no version', EXIT.usage)
      return using(openVersions(dir, options, 'read-write'), async (store) => {
        const info = options.delete ? undefined : await versionOf(store, version ?? 'current')
        if (!info && !(await store.versions()).some(({ tags }) => tags.includes(name)))
          throw new Failure(`there is no tag ${name}`, EXIT.notFound)
        await whileWriting(context, options, store, () => store.tag(name, info?.id, lockOptions(context, options)))
        context.out.result({ tag: name, version: info?.id ?? null })
        context.out.lines(info ? `Tagged ${info.id} ${name}.` : `Removed the tag ${name}.`)
      })
    }),
  )
}
