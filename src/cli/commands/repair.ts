// `cutover repair`: damaged versions aside, a whole one current.
import type { Command } from 'commander'
import { command, writing } from '../command.js'
import type { Run, Writing } from '../command.js'
import { openVersions, using, versionOf } from '../directory.js'
import { EXIT } from '../exit.js'
import { problemLines } from '../problems-view.js'
import { pairs } from '../table.js'
import { lockOptions, whileWriting } from '../write.js'

interface Options extends Omit<Writing, 'ifCurrent'> {
  readonly to?: string
  readonly dryRun?: true
}

/** Adds the command. */
export function addRepair(parent: Command, run: Run): void {
  const repair = command(
    parent,
    'repair <dir>',
    'Set damaged versions aside and make the newest whole one current; removes nothing but what crashed writers left.',
    'cutover repair ./books --dry-run',
  )
    .option('--to <version>', 'make this version current: an id or a tag')
    .option('--dry-run', 'only tell what would be done; ends with 5 if something is damaged')
  writing(repair, { change: false }).action(
    run<[string, Options]>((context, dir, options) =>
      using(openVersions(dir, options, 'read-write'), async (store) => {
        const dryRun = options.dryRun === true
        const to = options.to === undefined ? {} : { to: (await versionOf(store, options.to)).id }
        const report = await whileWriting(
          context,
          options,
          store,
          ({ show }) => store.repair({ ...lockOptions(context, options), ...to, dryRun, onProgress: show }),
          'bytes',
        )
        const { out } = context
        out.result({ ...report, current: report.current ?? null, dryRun })
        out.lines(
          ...problemLines(report.problems, out),
          ...pairs([
            ['current', [report.current ?? 'none', report.reason].filter((text) => text !== '').join(': ')],
            ...report.setAside.map((id) => [dryRun ? 'goes aside' : 'set aside', id] as const),
            ...report.removed.map((name) => [dryRun ? 'goes' : 'removed', name] as const),
          ]),
        )
        // Done is done; what would have to be done, or what is left as it was, is not.
        const left = report.problems.some(({ version }) => version !== undefined && version === report.current)
        const damaged = left || (report.problems.length > 0 && (dryRun || report.current === undefined))
        return damaged ? EXIT.corrupt : EXIT.ok
      }),
    ),
  )
}
