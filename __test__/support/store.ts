// What the tests of `cutover/store` share: stores that are closed, builds, and Python where there is one.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { openStore } from 'cutover/store'
import type { StoreOptions, StoreSnapshot, VersionStore } from 'cutover/store'
import { directory } from './index.js'

/** A store of the test's own, closed after it; empty until something is published. */
export async function store(
  t: ExecutionContext,
  options?: StoreOptions,
  path = join(directory(t), 'store'),
): Promise<VersionStore> {
  const opened = await openStore(path, options)
  t.teardown(() => opened.close())
  return opened
}

/** Writes files below a directory. */
export function put(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
}

/** A build that writes files. */
export const build =
  (files: Readonly<Record<string, string | Uint8Array>>) =>
  async (root: string): Promise<void> =>
    put(root, files)

/** What an artifact of a snapshot holds. */
export const text = (snapshot: StoreSnapshot, name: string): string => readFileSync(snapshot.path(name), 'utf8')

/** Holds a version, reads one of its artifacts, and lets it go. */
export async function read(from: VersionStore, name: string, version?: string): Promise<string> {
  const snapshot = await from.snapshot(version === undefined ? {} : { version })
  try {
    return text(snapshot, name)
  } finally {
    await snapshot.close()
  }
}

/** The Python that is here; undefined, and said so, where there is none. */
export function python(t: ExecutionContext): string | undefined {
  const { status } = spawnSync('python3', ['-c', 'import sqlite3'])
  if (status === 0) return 'python3'
  t.log('SKIPPED: there is no python3 with sqlite3')
  t.pass()
  return undefined
}

/** Runs a program to its end; what it printed. A failure throws with all that it said. */
export function run(command: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stdout}${stderr}`)
  return stdout.trim()
}
