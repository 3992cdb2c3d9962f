// Whether a graph in two files holds together: every node has an id of its own, every edge joins two nodes that there are.
import { isRecord, show } from '../validate.js'
import { Refused, SourceFile } from './file.js'
import { readArray } from './json-array.js'
import { Named } from './named.js'

/** What a graph holds. */
export interface Graph {
  readonly nodes: number
  readonly edges: number
}

/**
 * Reads the arrays `nodes.json` (objects with `id`) and, if there is one, `edges.json` (objects with `source` and `target`, or
 * `from` and `to`), one element at a time. Ids are strings or whole numbers; 1 and "1" are different.
 *
 * @throws {CutoverError} CUTOVER_GATE with `duplicates`, `dangling` (the first ten of each) and how many there are of each;
 * CUTOVER_SOURCE for what is no such file.
 */
export async function checkGraph(
  nodesPath: string,
  edgesPath: string | undefined,
  signal?: AbortSignal,
): Promise<Graph> {
  const ids = new Set<string>()
  const duplicates = new Named()
  const dangling = new Named()
  const nodes = await each(nodesPath, signal, (node, fail) => {
    const id = node['id']
    const key = keyOf(id)
    if (key === undefined) throw fail('no id that is a string or a whole number', id)
    if (ids.has(key)) duplicates.add(id)
    ids.add(key)
  })
  const edges =
    edgesPath === undefined
      ? 0
      : await each(edgesPath, signal, (edge, fail, position) => {
          for (const [one, other] of ENDS) {
            const end = edge[one] ?? edge[other]
            const key = keyOf(end)
            if (key === undefined) throw fail(`no ${one} (or ${other}) that is an id`, end)
            if (!ids.has(key)) dangling.add({ edge: position, [one]: end })
          }
        })
  if (duplicates.count + dangling.count > 0) {
    const told = [
      duplicates.tell('ids that another node has', nodesPath),
      dangling.tell('ends of edges at no node', edgesPath ?? ''),
    ]
    throw new Refused(
      told.filter((text) => text !== '').join('; '),
      {
        nodes,
        edges,
        duplicates: duplicates.named,
        duplicateCount: duplicates.count,
        dangling: dangling.named,
        danglingCount: dangling.count,
      },
      { code: 'CUTOVER_GATE' },
    )
  }
  return { nodes, edges }
}

const ENDS = [
  ['source', 'from'],
  ['target', 'to'],
] as const

/** What tells one id from another, a number from its digits too. */
const keyOf = (id: unknown): string | undefined =>
  typeof id === 'string' ? `"${id}` : Number.isSafeInteger(id) ? String(id) : undefined

type Check = (element: Record<string, unknown>, fail: (what: string, found: unknown) => Error, position: number) => void

/** Calls `check` with every object of an array; how many there are. */
async function each(path: string, signal: AbortSignal | undefined, check: Check): Promise<number> {
  const file = await SourceFile.open(path, signal)
  try {
    let position = 0
    for await (const element of readArray(file)) {
      const fail = (what: string, found: unknown): Error =>
        file.refuse(`has ${what} in element ${position} (from 0), but ${show(found)}`, { position })
      if (!isRecord(element)) throw fail('no object', element)
      check(element, fail, position)
      position++
    }
    return position
  } finally {
    await file.close()
  }
}
