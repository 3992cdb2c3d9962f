// Starts other programs for the scripts; only node: builtins, since it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the work tree. */
export const root = resolve(fileURLToPath(import.meta.url), '../..')

/** A mistake or a lack on the user's side: its message is all there is to say. */
export class Failure extends Error {}

/** What a program prints, or undefined when it cannot be run or fails. */
export function output(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options })
  return status === 0 ? stdout.trim() : undefined
}

/**
 * Runs a program whose output the user sees as it comes.
 * Resolves with its exit code and all that it printed.
 */
export function watch(command, args, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let text = ''
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      from.setEncoding('utf8')
      from.on('data', (chunk) => {
        text += chunk
        to.write(chunk)
      })
    }
    child.on('error', fail)
    child.on('close', (code) => done({ code: code ?? 1, text }))
  })
}

/** Runs a program on the user's terminal; a failure ends the script. */
export async function must(command, args, options = {}) {
  const code = await new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options })
    child.on('error', fail)
    child.on('close', (status) => done(status ?? 1))
  })
  if (code !== 0) throw new Failure(`\`${[command, ...args].join(' ')}\` failed with exit code ${code}.`)
}

/** The command line that runs npm: by the npm that runs us when there is one, since Windows cannot start npm.cmd without a shell. */
export function npm(...args) {
  const entry = process.env.npm_execpath
  return entry?.endsWith('.js') ? [process.execPath, [entry, ...args]] : ['npm', args]
}

/** The command line that runs a tool that is installed in node_modules, by its JavaScript entry. */
export function tool(entry, ...args) {
  return [process.execPath, [resolve(root, 'node_modules', entry), ...args]]
}

/** Runs a script's main function: a Failure is printed as one sentence, anything else with its stack. */
export async function main(run) {
  try {
    process.exitCode = (await run(process.argv.slice(2))) ?? process.exitCode ?? 0
  } catch (error) {
    console.error(error instanceof Failure ? error.message : error)
    process.exitCode = 1
  }
}

/** True when the module is the program that was started, not an import. */
export const isMain = (url) => process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(url)
