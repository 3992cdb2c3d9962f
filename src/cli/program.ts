// The program: its commands, and how one is run.
import { readFile } from 'node:fs/promises'
import { Command, CommanderError } from 'commander'
import type { Common, Run } from './command.js'
import { addActivate } from './commands/activate.js'
import { addAdopt } from './commands/adopt.js'
import { addBackup } from './commands/backup.js'
import { addBuild } from './commands/build.js'
import { addCompletion } from './commands/completion.js'
import { addCreate } from './commands/create.js'
import { addDiscard } from './commands/discard.js'
import { addGet } from './commands/get.js'
import { addHealth } from './commands/health.js'
import { addImport } from './commands/import.js'
import { addLock } from './commands/lock.js'
import { addPrune } from './commands/prune.js'
import { addRepair } from './commands/repair.js'
import { addSearch } from './commands/search.js'
import { addStage } from './commands/stage.js'
import { addStatus } from './commands/status.js'
import { addTag } from './commands/tag.js'
import { addVerify } from './commands/verify.js'
import { EXIT, exitOf, told } from './exit.js'
import { interruptible } from './interrupt.js'
import { Output } from './output.js'

const COMMANDS = [
  addCreate,
  addBuild,
  addImport,
  addSearch,
  addGet,
  addStatus,
  addStage,
  addActivate,
  addDiscard,
  addTag,
  addBackup,
  addAdopt,
  addPrune,
  addVerify,
  addRepair,
  addHealth,
  addLock,
  addCompletion,
]

const EPILOGUE = `
Exit codes: 0 done, 1 a problem, 2 a mistake in the arguments, 3 locked by another writer, 4 not found, 5 damaged;
a signal ends with 128 and its number. Every command takes --json, and --help, which ends with an example.`

/** The program, whose commands are run by `run`. */
export function program(version: string, run: Run): Command {
  const root = new Command('cutover')
    .description('Search indexes and other files as versions: built aside, published by one rename, rolled back.')
    .version(version)
    // `--version` of a command is a version of the index.
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText('after', EPILOGUE)
    .showHelpAfterError("Run it with --help, or 'cutover help'.")
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'cutover: ')) })
    .exitOverride()
  for (const add of COMMANDS) add(root, run)
  return root
}

/** Runs one command line, the arguments after the program's name; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let exit: number = EXIT.ok
  const run: Run =
    (action) =>
    async (...given) => {
      // Commander calls with the arguments, then the options, then the command.
      const options = given.at(-2) as Common
      const out = new Output(options.json === true)
      const { signal, dispose } = interruptible()
      try {
        exit = (await action({ out, signal }, ...(given.slice(0, -1) as never))) ?? EXIT.ok
      } catch (error) {
        const failure = told(error)
        exit = exitOf(failure)
        out.failure(failure)
      } finally {
        dispose()
      }
    }
  try {
    const root = program(await packageVersion(), run)
    const [first = ''] = args
    const known = first.startsWith('-') || first === 'help' || root.commands.some((command) => command.name() === first)
    // Of an unknown command nothing else is looked at: its `--version` would be taken for ours.
    await root.parseAsync(known ? args : args.slice(0, 1), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help that was asked for is no failure; help instead of a command is.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
  return exit
}

async function packageVersion(): Promise<string> {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
