// The TypeScript half of the layers check: one door to the addon, no dependencies but the command line's parser and optional peers, no cycles.
import { join, posix } from 'node:path'
import { files, read } from './stale.mjs'

/** Where packages may be named: the only dependency, and the optional peers. */
const homes = new Map([
  ['commander', /^src\/cli\//],
  ['hyparquet', /^src\/import\/parquet\.ts$/],
  ['hyparquet-compressors', /^src\/import\/parquet\.ts$/],
])

/** Module specifiers of a file; `type` ones carry no code and so cannot make a cycle at run time. */
function imports(text) {
  const found = []
  const statement = /^\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
  for (const [, type, name] of text.matchAll(statement)) found.push({ name, type: type !== undefined })
  for (const [, name] of text.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]/g)) found.push({ name, type: false })
  return found
}

/** The source file that a relative specifier means: `./errors.js` is written as errors.ts. */
const target = (from, name) => posix.join(posix.dirname(from), name).replace(/\.js$/, '.ts')

/** Problems of the work tree at `root`, one a line. */
export function checkTypeScript(root) {
  const problems = []
  const graph = new Map()
  for (const path of files('src', (name) => name.endsWith('.ts'), root).map((name) => name.replaceAll('\\', '/'))) {
    const found = imports(read(join(root, path)))
    graph.set(path, [])
    for (const { name, type } of found) {
      if (name.startsWith('node:')) continue
      if (!name.startsWith('.')) {
        if (!homes.get(name)?.test(path))
          problems.push(
            `${path}: imports ${name}, but the library has no dependencies: commander is for the command line, what reads Parquet for src/import/parquet.ts.`,
          )
      } else if (!target(path, name).startsWith('src/')) {
        if (path !== 'src/native.ts') problems.push(`${path}: imports ${name}; only src/native.ts reaches the addon.`)
      } else if (!type) graph.get(path).push(target(path, name))
    }
  }
  return [...problems, ...cycles(graph)]
}

/** One line for each cycle that a depth-first walk closes. */
function cycles(graph) {
  const problems = []
  const done = new Set()
  const visit = (path, above) => {
    if (above.includes(path))
      problems.push(`${[...above.slice(above.indexOf(path)), path].join(' -> ')}: a cycle of imports.`)
    if (above.includes(path) || done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...above, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return problems
}
