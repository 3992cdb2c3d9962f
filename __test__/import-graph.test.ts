// The gate of an imported graph: every id once, every edge between nodes that there are.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { checkGraph } from '#dist/import/graph.js'
import { directory, refused } from './support/index.js'

function check(t: ExecutionContext, nodes: unknown, edges?: unknown) {
  const path = directory(t)
  const file = (name: string, value: unknown): string => {
    writeFileSync(join(path, name), JSON.stringify(value))
    return join(path, name)
  }
  return checkGraph(file('nodes.json', nodes), edges === undefined ? undefined : file('edges.json', edges))
}

const nodes = [{ id: 'a', label: 'x' }, { id: 'b' }, { id: 3 }]

test('a graph that holds together is counted', async (t) => {
  const edges = [
    { source: 'a', target: 'b', weight: 1 },
    { from: 'b', to: 3 },
    { source: 3, to: 3 },
  ]
  t.deepEqual(await check(t, nodes, edges), { nodes: 3, edges: 3 })
  t.deepEqual(await check(t, nodes), { nodes: 3, edges: 0 })
  t.deepEqual(await check(t, [], []), { nodes: 0, edges: 0 })
})

test('duplicate ids and dangling edges are named and counted in one error', async (t) => {
  const edges = [
    { source: 'a', target: 'c' },
    { source: 'x', target: 'y' },
    { source: 'a', target: '3' },
    { source: 'a', target: 'a' },
  ]
  const error = await refused(t, 'CUTOVER_GATE', check(t, [...nodes, { id: 'a' }, { id: 3 }], edges))
  t.deepEqual(error.detail, {
    nodes: 5,
    edges: 4,
    duplicates: ['a', 3],
    duplicateCount: 2,
    dangling: [
      { edge: 0, target: 'c' },
      { edge: 1, source: 'x' },
      { edge: 1, target: 'y' },
      { edge: 2, target: '3' },
    ],
    danglingCount: 4,
  })
  t.regex(
    error.message,
    /nodes\.json has 2 ids that another node has: 'a', 3; .*edges\.json has 4 ends of edges at no node/,
  )
})

test('ten of a kind are named, the rest is counted', async (t) => {
  const same = Array.from({ length: 1000 }, () => ({ id: 'a' }))
  const loose = Array.from({ length: 1000 }, (_, n) => ({ source: 'a', target: n }))
  const { detail, message } = await refused(t, 'CUTOVER_GATE', check(t, same, loose))
  t.like(detail, { duplicateCount: 999, danglingCount: 1000 })
  t.is((detail['duplicates'] as unknown[]).length, 10)
  t.is((detail['dangling'] as unknown[]).length, 10)
  t.true(message.length < 1500)
})

test('a node without an id, an edge without an end, and what is neither, are refused by position', async (t) => {
  const of = async (...graph: [unknown, unknown?]) => (await refused(t, 'CUTOVER_SOURCE', check(t, ...graph))).message
  t.regex(await of([{ id: 'a' }, {}]), /nodes\.json has no id .* in element 1 \(from 0\), but undefined$/)
  t.regex(await of([{ id: 1.5 }]), /element 0 .*but 1\.5$/)
  t.regex(await of([{ id: null }]), /element 0 .*but null$/)
  t.regex(await of(['a']), /has no object in element 0 \(from 0\), but 'a'$/)
  t.regex(await of(nodes, [{ source: 'a' }]), /edges\.json has no target \(or to\) .* in element 0 /)
  t.regex(await of(nodes, [{ target: 'a' }]), /has no source \(or from\)/)
  t.regex(await of({ nodes: [] }), /does not begin with a JSON array/)
})
