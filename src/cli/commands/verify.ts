// `cutover verify`: whether versions are what they were published as.
import { Option } from 'commander'
import type { Command } from 'commander'
import { command, opening, progressing } from '../command.js'
import type { Opening, Run } from '../command.js'
import { openVersions, using, versionOf } from '../directory.js'
import { EXIT } from '../exit.js'
import { bytes, duration, many } from '../human.js'
import { problemLines } from '../problems-view.js'
import { ProgressLine } from '../progress.js'
import type { ProgressMode } from '../progress.js'
import { DEPTHS, verification } from '../verification.js'
import type { Depth } from '../verification.js'

interface Options extends Opening {
  readonly depth: Depth
  readonly progress: ProgressMode
}

/** Adds the command. */
export function addVerify(parent: Command, run: Run): void {
  const verify = command(
    parent,
    'verify <dir> [version]',
    'Compare a version, or all of them, with what was published; ends with 5 if something is damaged.',
    'cutover verify ./books --depth contents',
  ).addOption(
    new Option(
      '--depth <what>',
      'sizes: every file is there; digests: every byte is the one published; contents: documents, ids, words and graphs agree too',
    )
      .choices(DEPTHS)
      .default('digests'),
  )
  progressing(opening(verify)).action(
    run<[string, string | undefined, Options]>(async ({ out, signal }, dir, version, options) => {
      const { depth } = options
      const line = new ProgressLine(options.progress, 'bytes')
      const began = performance.now()
      const report = await using(openVersions(dir, options, 'read-only'), async (store) => {
        const one = version === undefined ? {} : { version: (await versionOf(store, version)).id }
        return verification(store, options, depth, { ...one, signal, onProgress: line.show })
      }).finally(() => line.end())
      out.result({ ...report, depth })
      const found = report.ok ? 'whole' : many(report.problems.length, 'problem')
      const read = `${bytes(report.bytesRead)} read in ${duration(performance.now() - began)}`
      out.lines(
        ...problemLines(report.problems, out),
        `${many(report.versions.length, 'version')}, ${found}: ${depth}, ${read}.`,
      )
      return report.ok ? EXIT.ok : EXIT.corrupt
    }),
  )
}
