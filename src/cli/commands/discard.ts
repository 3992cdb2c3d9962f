// `cutover discard`: a prepared version that is not wanted any more.
import type { Command } from 'commander'
import { command, writing } from '../command.js'
import type { Run, Writing } from '../command.js'
import { openVersions, using, versionOf } from '../directory.js'
import { lockOptions, whileWriting } from '../write.js'

type Options = Omit<Writing, 'ifCurrent'>

/** Adds the command. */
export function addDiscard(parent: Command, run: Run): void {
  const discard = command(
    parent,
    'discard <dir> <version>',
    'Remove a prepared version that is not wanted any more; one that was ever current is for prune.',
    'cutover discard ./store v3',
  )
  writing(discard, { change: false }).action(
    run<[string, string, Options]>((context, dir, version, options) =>
      using(openVersions(dir, options, 'read-write'), async (store) => {
        const { id } = await versionOf(store, version)
        await whileWriting(context, options, store, () => store.discard(id, lockOptions(context, options)))
        context.out.result({ discarded: id })
        context.out.lines(`Discarded ${id}.`)
      }),
    ),
  )
}
