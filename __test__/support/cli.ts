// The command line as tests use it: every call is a process of its own.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import { directory } from './index.js'

/** The program. */
export const main = resolve('dist/cli/main.js')

/** What a command did. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Starts a command in a directory. Colours and width are those of a pipe. */
export function start(cwd: string, args: readonly string[]): ChildProcess {
  const { COLUMNS: _, ...env } = process.env
  return spawn(process.execPath, [main, ...args], { cwd, env, stdio: 'pipe' })
}

/** What a command that was started says until it ends. */
export async function ending(child: ChildProcess): Promise<Ended> {
  const said = [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : ''))
  const [code] = (await once(child, 'close')) as [number | null]
  const [out = '', err = ''] = await Promise.all(said)
  return { code, out, err }
}

/** Runs commands in a directory of the test's own. */
export interface Shell {
  readonly cwd: string
  /** Runs a command to its end, with this on its stdin. */
  (args: readonly string[], input?: string): Promise<Ended>
  /** Runs a command that must end with 0; its stdout. */
  ok(...args: string[]): Promise<string>
  /** Runs a command with `--json` that must end with 0; what it printed. */
  json(...args: string[]): Promise<Record<string, unknown>>
  /** Writes a file, and answers with its name. */
  file(name: string, content: string): string
}

/** A shell in a directory of the test's own. */
export function shell(t: ExecutionContext, cwd = directory(t)): Shell {
  const run = (args: readonly string[], input?: string): Promise<Ended> => {
    const child = start(cwd, args)
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    return ending(child)
  }
  const ok = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await run(args)
    t.is(code, 0, `cutover ${args.join(' ')}: ${err}`)
    return out
  }
  return Object.assign(run, {
    cwd,
    ok,
    json: async (...args: string[]) => JSON.parse(await ok(...args, '--json')) as Record<string, unknown>,
    file(name: string, content: string): string {
      writeFileSync(join(cwd, name), content)
      return name
    },
  })
}

/** A schema and three books for it, one of which costs no more than another. */
export const schema = JSON.stringify({
  title: { type: 'text', boost: 2 },
  topic: { type: 'keyword', facet: true },
  year: { type: 'integer' },
  embedding: { type: 'vector', dimensions: 3 },
})
export const lines = `{"id":"a","title":"The Sea Around Us","topic":"nature","year":1951,"embedding":[0.9,0.1,0.2]}
{"id":"b","title":"Silent Spring","topic":"nature","year":1962,"embedding":[0.7,0.2,0.3]}
{"id":"c","title":"A Pattern Language","topic":"building","year":1977,"embedding":[0.1,0.9,0.4]}
`

/** A shell beside an index `books` of three books. */
export async function library(t: ExecutionContext): Promise<Shell> {
  const run = shell(t)
  run.file('books.ndjson', lines)
  await run.ok('build', 'books', 'books.ndjson', '--fields', schema, '--version', 'v1')
  return run
}
