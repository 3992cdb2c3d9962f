// Whether an output is what its inputs make: by content, so that a touched file builds nothing and a changed one always does.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './process.mjs'

const stamps = join(root, 'node_modules/.cache/cutover')

/** Every file at or below the path that `keep` allows, relative to `base`, in name order; none when the path does not exist. */
export function files(path, keep = () => true, base = root) {
  let entries
  try {
    entries = readdirSync(join(base, path), { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOTDIR') return keep(path) ? [path] : []
    if (error.code === 'ENOENT') return []
    throw error
  }
  return entries
    .map((entry) => join(path, entry.name))
    .toSorted()
    .filter((name) => !/(^|[\\/])(node_modules|target|\.cache|\.git)$/.test(name))
    .flatMap((name) => files(name, keep, base))
}

/** SHA-256 over the names and contents of the files. */
export function digest(names, base = root) {
  const hash = createHash('sha256')
  for (const name of names) {
    const content = readFileSync(join(base, name))
    hash.update(`${name}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/**
 * Runs `build` unless the last one had the same inputs and left the outputs that are there now.
 * `inputs` and `outputs` give file names; `build` is not run when both digests are those recorded.
 * Resolves with whether it built.
 */
export async function unlessFresh(name, { inputs, outputs }, build) {
  const stamp = join(stamps, `${name}.json`)
  const facts = () => JSON.stringify({ inputs: digest(inputs()), outputs: digest(outputs()), made: outputs().length })
  if (outputs().length > 0 && read(stamp) === facts()) return false
  await build()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, facts())
  return true
}

/** The file's text, or undefined when there is none. */
export function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
