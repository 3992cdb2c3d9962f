// Writes NOTICE: what the addon contains beside our own code.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, isMain, main, output, root } from './process.mjs'
import { read } from './stale.mjs'

const path = join(root, 'NOTICE')

/** Every crate that is linked into the addon on any platform: normal dependencies, without procedural macros. */
function crates() {
  const text = output('cargo', ['metadata', '--format-version', '1', '--locked'], { maxBuffer: 1 << 28 })
  if (text === undefined) throw new Failure('`cargo metadata --locked` failed: Cargo.lock is not up to date.')
  const { packages, resolve } = JSON.parse(text)
  const byId = new Map(packages.map((one) => [one.id, one]))
  const needs = new Map(resolve.nodes.map((node) => [node.id, node.deps]))
  const seen = new Set([resolve.root])
  for (const id of seen)
    for (const { pkg, dep_kinds: kinds } of needs.get(id))
      if (
        kinds.some(({ kind }) => kind === null) &&
        !byId.get(pkg).targets.some((one) => one.kind.includes('proc-macro'))
      )
        seen.add(pkg)
  return [...seen].map((id) => byId.get(id)).filter((one) => one.source !== null)
}

/** One project's line. An address in place of a name is left out. */
const line = ({ name, version, license, authors }) => {
  const people = authors.map((author) => author.replace(/ *<.*>|\S+@\S+/, '')).filter(Boolean)
  return `${name} ${version} (${license ?? 'licence in its source'})${people.length > 0 ? `: ${people.join(', ')}` : ''}`
}

/** The text of NOTICE. */
function notice() {
  const others = crates().map(line).toSorted()
  return `Cutover
Licensed under the Apache License, Version 2.0; the text is in LICENSE.

Its graphs are built by the algorithm of hnswlib (Apache-2.0, Yury Malkov and the hnswlib authors), in code of our own.
The addon contains code of these projects, each under its own licence, named beside it.

Rust
${others.join('\n')}
`
}

/** Problems, one a line. */
export const checkNotice = () => (read(path) === notice() ? [] : ['NOTICE is stale: run `node scripts/notice.mjs`.'])

if (isMain(import.meta.url)) await main(() => writeFileSync(path, notice()))
