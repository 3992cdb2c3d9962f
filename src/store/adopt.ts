// Making a store of versions that other software laid out.
import { metered, pathOf, progressOf } from '../lifecycle.js'
import { NativeStore } from '../native.js'
import type { Abortable, Progress } from '../options.js'
import { optionsOf, signal } from '../validate.js'
import { parseInfos } from '../version.js'
import type { VersionInfo } from '../version.js'
import { storeOptions } from './options.js'
import type { StoreOptions } from './version-store.js'

/** How a directory is adopted. */
export interface AdoptOptions extends Abortable {
  /** Accept what is refused by default. */
  allow?: NonNullable<StoreOptions['allow']>
  /** Called at most every 100 ms, with bytes. A throw ends the call with what it threw. */
  onProgress?(progress: Progress): void
}

/** What an adoption found. */
export interface Adopted {
  /** The versions that the store has now, oldest first. */
  readonly versions: readonly VersionInfo[]
  /** Names below `versions/` that were left alone, and why. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[]
}

const ADOPT = new Set(['signal', 'allow', 'onProgress'])

/**
 * Makes a store of a directory that other software laid out as `versions/<id>/…` and `CURRENT`: digests and manifests are written
 * in place, nothing is moved or copied. Running it again adopts what came since; versions that are in the store stay as they are.
 */
export async function adopt(path: string, options?: AdoptOptions): Promise<Adopted> {
  const directory = pathOf(path, 'path')
  const o = optionsOf(options, ADOPT)
  const { json } = storeOptions(o.allow === undefined ? {} : { allow: o.allow })
  const stop = signal(o.signal)
  const text = await metered('reading', progressOf(o.onProgress), stop, (progress, token) =>
    NativeStore.adopt(directory, json, progress, token),
  )
  const told = JSON.parse(text) as { versions: object[]; refused: Adopted['refused'] }
  return { versions: parseInfos(JSON.stringify(told.versions)), refused: told.refused }
}
