// `cutover completion`: what a shell needs to complete our command lines.
import { Argument } from 'commander'
import type { Command } from 'commander'
import type { Run } from '../command.js'
import { SHELLS, completion } from '../completion.js'
import type { Shell } from '../completion.js'

/** Adds the command. */
export function addCompletion(parent: Command, run: Run): void {
  parent
    .command('completion')
    .description('Print a script that completes the commands and options of cutover in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', '\nExample:\n  $ eval "$(cutover completion bash)"')
    .action(
      run<[Shell]>(async ({ out }, shell) => {
        out.lines(completion(parent, shell).trimEnd())
      }),
    )
}
