// Whether the loader and the boundary types that are committed are those that the build writes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { output, root } from './process.mjs'

/** Problems, one a line; the build has just written the files, so they are compared with what git holds. */
export function checkGenerated() {
  if (output('git', ['rev-parse', '--git-dir']) === undefined) return []
  return ['index.js', 'index.d.ts'].flatMap((name) => {
    const committed = output('git', ['show', `HEAD:${name}`])
    const written = readFileSync(join(root, name), 'utf8').trim()
    return committed === written ? [] : [`${name} is stale: run \`npm run build\` and commit what it writes.`]
  })
}
