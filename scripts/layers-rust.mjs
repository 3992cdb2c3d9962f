// The Rust half of the layers check: crates use only those below them, and what is dangerous stays at home.
import { join } from 'node:path'
import { files, read } from './stale.mjs'

/** Which of our crates each crate may use; `node` is the root package, the addon. */
const below = {
  durable: [],
  store: ['durable'],
  vectors: ['durable'],
  text: ['durable'],
  index: ['durable', 'store', 'vectors', 'text'],
  node: ['durable', 'store', 'vectors', 'text', 'index'],
  // Not part of the addon: they attack the others from outside.
  hostile: ['durable', 'vectors'],
  torture: ['durable', 'store', 'index', 'hostile'],
}

/** Where the crates that need care may be named: `manifests` by crate, `sources` by path. */
const homes = {
  napi: { manifests: ['node'], sources: /^crates\/node\// },
  napi_derive: { manifests: ['node'], sources: /^crates\/node\// },
  napi_build: { manifests: ['node'], sources: /^build\.rs$/ },
  tantivy: { manifests: ['text'], sources: /^crates\/text\// },
  fs2: { manifests: ['durable'], sources: /^crates\/durable\/src\/lock\.rs$/ },
  memmap2: { manifests: ['durable'], sources: /^crates\/durable\/src\/mmap\.rs$/ },
  cc: { manifests: ['vectors'], sources: /^crates\/vectors\/build\.rs$/ },
}

/** The files that may contain `unsafe`: the map, the one ioctl, the kernels, and the door to C++ of the tests. */
const unsafeHomes = /^crates\/(durable\/src\/(mmap|fs\/reflink)|vectors\/src\/(kernels|oracle)(\/[a-z0-9_]+)?)\.rs$/

const crateOf = (path) => /^crates\/([^/]+)\//.exec(path)?.[1] ?? 'node'

/** The source without comments and literals, so that prose about `unsafe` is not taken for it. */
const code = (text) =>
  text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|\br(#*)"[\s\S]*?"\1|"(?:\\[\s\S]|[^"\\])*"|'(?:\\[^']+|[^'\\])'/g,
    (found) => (found.startsWith('/') ? '' : '""'),
  )

/** Dependency names of a Cargo.toml, of every kind and platform. */
function dependencies(manifest) {
  const names = []
  let inside = false
  for (const line of manifest.split('\n')) {
    const table = /^\[(.*)\]/.exec(line)?.[1]
    if (table !== undefined) {
      const own = /(?:^|\.)(?:dev-|build-)?dependencies(?:\.(.+))?$/.exec(table)
      inside = own !== null && !table.startsWith('workspace.')
      if (inside && own[1]) names.push(own[1])
    } else if (inside) {
      const name = /^([\w-]+)(?:\s*=|\.)/.exec(line)?.[1]
      if (name) names.push(name)
    }
  }
  return names
}

function checkManifest(path, text) {
  const crate = crateOf(path)
  return dependencies(text).flatMap((dependency) => {
    const ours = /^cutover-(.+)$/.exec(dependency)?.[1]
    if (ours)
      return ours === crate || below[crate]?.includes(ours)
        ? []
        : [`${path}: ${crate} must not depend on ${ours}, which is not below it.`]
    const home = homes[dependency.replaceAll('-', '_')]
    return !home || home.manifests.includes(crate)
      ? []
      : [`${path}: ${dependency} belongs in ${home.manifests.join(', ')} only.`]
  })
}

function checkSource(path, text) {
  const crate = crateOf(path)
  const source = code(text)
  const problems = []
  for (const [, ours] of source.matchAll(/\bcutover_([a-z]+)\b(?=\s*(?:::|;|\bas\b))/g))
    if (ours in below && ours !== crate && !below[crate]?.includes(ours))
      problems.push(`${path}: ${crate} must not use ${ours}, which is not below it.`)
  for (const [name, { sources }] of Object.entries(homes))
    if (!sources.test(path) && new RegExp(`\\b${name}::|\\buse ${name}\\b|\\bextern crate ${name}\\b`).test(source))
      problems.push(`${path}: ${name} is used outside its home.`)
  if (
    !unsafeHomes.test(path) &&
    /\bunsafe\s*(\{|fn\b|impl\b|extern\b|trait\b|\()|\b(allow|expect)\s*\([^)]*\bunsafe_code\b/.test(source)
  )
    problems.push(`${path}: unsafe is used outside its homes.`)
  return problems
}

/** Problems of the work tree at `root`, one a line. */
export function checkRust(root) {
  const all = ['Cargo.toml', 'build.rs', ...files('crates', undefined, root)].map((path) => path.replaceAll('\\', '/'))
  return all.flatMap((path) => {
    const text = read(join(root, path))
    if (text === undefined) return []
    if (path.endsWith('Cargo.toml')) return checkManifest(path, text)
    return path.endsWith('.rs') ? checkSource(path, text) : []
  })
}
