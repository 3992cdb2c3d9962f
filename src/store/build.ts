// Where a version's files come from: a caller's build, or the current version and some more.
import { lstat, stat } from 'node:fs/promises'
import { numberOf } from '../coalesce.js'
import type { Turn } from '../coalesce.js'
import { CutoverError, native } from '../errors.js'
import type { NativeStore } from '../native.js'
import { show } from '../validate.js'
import type { Published } from '../version.js'
import type { StoreWrite } from './options.js'
import { write } from './write.js'

/** A rebuild, on its own or for several callers. */
export const runBuild =
  (
    store: NativeStore,
    required: readonly string[],
    options: StoreWrite,
    build: (directory: string, signal: AbortSignal) => void | Promise<void>,
  ) =>
  async (turn: Turn | undefined): Promise<Published> =>
    write(store, required, { ...options, ...turn }, async (draft, interrupt) => {
      turn?.began()
      // Whatever stops the write stops the build: the caller's signal, or a throw of its onProgress.
      await interrupt.race(Promise.resolve(build(draft.directory, interrupt.signal)))
    })

/** Equal for rebuilds that one run can serve. */
export function rebuildKey(path: string, required: readonly string[], { json, gate }: StoreWrite): string {
  return JSON.stringify(['store', path, required, json, numberOf(gate)])
}

/** The current version with these artifacts added or replaced. */
export async function extend(
  store: NativeStore,
  required: readonly string[],
  options: StoreWrite,
  artifacts: readonly [name: string, from: string][],
): Promise<Published> {
  // Looked at before the lock is waited for, and again when it is brought in.
  for (const [name, from] of artifacts) await exists(name, from)
  return write(store, required, options, async (draft, interrupt) => {
    await native(() =>
      draft.inherit(
        artifacts.map(([name]) => name),
        [...required],
        interrupt.token,
      ),
    )
    for (const [name, from] of artifacts) {
      interrupt.check()
      await native(() => draft.attach(name, from, false, interrupt.token))
    }
  })
}

async function exists(name: string, from: string): Promise<void> {
  try {
    await stat(from)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return
    const dangling = await lstat(from).then(
      () => true,
      () => false,
    )
    throw new CutoverError(
      'CUTOVER_NOT_FOUND',
      `artifact ${show(name)}: ${dangling ? 'a link leads nowhere at' : 'there is nothing at'} ${from}`,
      { cause, detail: { name, path: from } },
    )
  }
}
