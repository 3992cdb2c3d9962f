// Fails when an import runs upwards, when something leaves its home, or when a file has grown too long.
// `node scripts/check-layers.mjs [root]`: another root is for the test of this check.
import { join, resolve } from 'node:path'
import { checkRust } from './layers-rust.mjs'
import { checkTypeScript } from './layers-typescript.mjs'
import { isMain, main, root as here } from './process.mjs'
import { files, read } from './stale.mjs'

const longest = 400
const folders = ['crates', 'src', 'scripts', '__test__', 'bench', 'examples']

function checkLengths(root) {
  return folders
    .flatMap((folder) => files(folder, (name) => /\.(rs|ts|mjs|js|cc|h)$/.test(name), root))
    .map((path) => [path, read(join(root, path)).trimEnd().split('\n').length])
    .filter(([, lines]) => lines > longest)
    .map(([path, lines]) => `${path}: ${lines} lines, above ${longest}: it has more than one purpose.`)
}

/** Problems of the work tree at `root`, one a line. */
export const checkLayers = (root) => [...checkRust(root), ...checkTypeScript(root), ...checkLengths(root)]

if (isMain(import.meta.url))
  await main(([root = here]) => {
    const problems = checkLayers(resolve(root))
    for (const problem of problems) console.error(problem)
    return problems.length === 0 ? 0 : 1
  })
