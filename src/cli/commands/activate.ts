// `cutover publish` and `rollback`: which version is current.
import type { Command } from 'commander'
import type { VersionStore } from '../../store/version-store.js'
import type { VersionInfo } from '../../version.js'
import { command, writing } from '../command.js'
import type { Context, Run, Writing } from '../command.js'
import { openVersions, using, versionOf } from '../directory.js'
import { versionJson, versionOrNull, versionPhrase } from '../versions-view.js'
import { lockOptions, whileWriting } from '../write.js'

/** Adds the commands. */
export function addActivate(parent: Command, run: Run): void {
  const publish = command(
    parent,
    'publish <dir> <version>',
    'Make a version current: one that was prepared, or any that is kept; an id or a tag.',
    'cutover publish ./books v2',
  )
  writing(publish).action(
    run<[string, string, Writing]>((context, dir, version, options) =>
      change(context, dir, options, async (open) => {
        const { id } = await versionOf(open, version)
        return open.activate(id, lockOptions(context, options))
      }),
    ),
  )

  const rollback = command(
    parent,
    'rollback <dir> [version]',
    'Make the version before current again, or the one given; the one left behind returns only by name.',
    'cutover rollback ./books',
  )
  writing(rollback).action(
    run<[string, string | undefined, Writing]>((context, dir, version, options) =>
      change(context, dir, options, async (open) => {
        const to = version === undefined ? undefined : (await versionOf(open, version)).id
        return open.rollback(to, lockOptions(context, options))
      }),
    ),
  )
}

/** Runs a change of the current version, and tells what was current and what is. */
const change = (
  context: Context,
  dir: string,
  options: Writing,
  work: (open: VersionStore) => Promise<VersionInfo>,
): Promise<void> =>
  using(openVersions(dir, options, 'read-write'), async (open) => {
    const before = (await open.status()).current
    const now = await whileWriting(context, options, open, () => work(open))
    context.out.result({ current: versionJson(now), before: versionOrNull(before) })
    const left = before && before.id !== now.id ? `, after ${before.id}` : ''
    context.out.lines(`Current is ${versionPhrase(now)}${left}.`)
  })
