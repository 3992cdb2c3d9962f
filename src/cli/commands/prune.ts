// `cutover prune`: versions that nobody needs any more.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { command, whole, writing } from '../command.js'
import type { Run, Writing } from '../command.js'
import { openVersions, using } from '../directory.js'
import { bytes, many } from '../human.js'
import { pairs } from '../table.js'
import { lockOptions, whileWriting } from '../write.js'

interface Options extends Omit<Writing, 'ifCurrent'> {
  readonly keep?: number
  readonly days?: number
  readonly maxBytes?: number
  readonly dryRun?: true
}

/** Adds the command. */
export function addPrune(parent: Command, run: Run): void {
  const prune = command(
    parent,
    'prune <dir>',
    'Remove versions; never the current one, the one to roll back to, a tagged one, or one that somebody reads.',
    'cutover prune ./books --keep 2 --dry-run',
  )
    .option('--keep <versions>', 'published versions to keep, the current one included (default: 3)', whole(1))
    .option('--days <days>', 'keep versions younger than this too', days)
    .option('--max-bytes <bytes>', 'remove more, oldest first, until the rest fits; 500, 20M, 1.5G', size)
    .option('--dry-run', 'only tell what would go')
  writing(prune, { change: false }).action(
    run<[string, Options]>((context, dir, options) =>
      using(openVersions(dir, options, 'read-write'), async (store) => {
        const { keep: versions, days: young, maxBytes } = options
        const keep = {
          ...(versions === undefined ? {} : { versions }),
          ...(young === undefined ? {} : { days: young }),
          ...(maxBytes === undefined ? {} : { maxBytes }),
        }
        const dryRun = options.dryRun === true
        const report = await whileWriting(context, options, store, () =>
          store.prune({
            ...lockOptions(context, options),
            ...(Object.keys(keep).length > 0 ? { keep } : {}),
            dryRun,
          }),
        )
        context.out.result({ ...report, dryRun })
        const done = dryRun ? 'Would remove' : 'Removed'
        context.out.lines(
          `${done} ${many(report.removed.length, 'version')}, ${bytes(report.bytesFreed)}.`,
          ...pairs([
            ...report.removed.map((id) => [dryRun ? 'goes' : 'gone', id] as const),
            ...report.inUse.map((id) => ['in use', id] as const),
            ...report.kept.map((id) => ['kept', id] as const),
          ]),
        )
      }),
    ),
  )
}

function days(value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number) || number < 0)
    throw new InvalidArgumentError('It is a number of days, 0 or more.')
  return number
}

/** Bytes, with K, M, G or T for powers of 1024. */
function size(value: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)$/i.exec(value) ?? []
  if (digits === undefined)
    throw new InvalidArgumentError('It is a number of bytes, with K, M, G or T after it for powers of 1024.')
  return Math.floor(Number(digits) * 1024 ** ' KMGT'.indexOf(unit === '' ? ' ' : unit.toUpperCase()))
}
