// Vector indexes of other packages, asked alike: `build(data, keep)` gives `ask(query, ef)`, rows of the ten nearest.
//
// All take cosine, m 16 and efConstruction 200; what else they offer is as it comes. What they built is kept in the folder
// `keep` for the next run. LanceDB answers with promises only, the others on the calling thread.
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from '../../examples/demo/figures.mjs'

const m = 16
const efConstruction = 200
const k = 10

/** Runs the build unless the file is there, and says how long it took. */
async function once(name, file, build) {
  if (existsSync(file)) return console.log(`${name}: ${file}, of an earlier run`)
  const started = performance.now()
  // A build that is broken off leaves nothing that the next run would take for one.
  const part = `${file}.part`
  rmSync(part, { recursive: true, force: true })
  await build(part)
  renameSync(part, file)
  console.log(`${name}: built in ${seconds(performance.now() - started)}`)
}

async function hnswlibNode({ name, base }, keep) {
  const { default: hnswlib } = await import('hnswlib-node')
  const file = join(keep, `hnswlib-node-${name}.bin`)
  await once('hnswlib-node', file, (part) => {
    const index = new hnswlib.HierarchicalNSW('cosine', base.columns)
    index.initIndex({ maxElements: base.rows, m, efConstruction, randomSeed: 100 })
    for (let row = 0; row < base.rows; row++) index.addPoint(Array.from(base.row(row)), row)
    index.writeIndexSync(part)
  })
  const index = new hnswlib.HierarchicalNSW('cosine', base.columns)
  index.readIndexSync(file)
  return (query, ef) => {
    index.setEf(ef)
    return index.searchKnn(query.plain, k).neighbors
  }
}

async function usearch({ name, base }, keep) {
  const { Index } = await import('usearch')
  const make = (ef) =>
    new Index({
      dimensions: base.columns,
      metric: 'cos',
      quantization: 'f32',
      connectivity: m,
      expansion_add: efConstruction,
      expansion_search: ef,
      multi: false,
    })
  const file = join(keep, `usearch-${name}.bin`)
  await once('usearch', file, (part) => {
    const index = make(64)
    const step = 10_000
    for (let from = 0; from < base.rows; from += step) {
      const count = Math.min(step, base.rows - from)
      const keys = BigUint64Array.from({ length: count }, (_, at) => BigInt(from + at))
      const rows = new Float32Array(count * base.columns)
      for (let at = 0; at < count; at++) rows.set(base.row(from + at), at * base.columns)
      index.add(keys, rows, 2)
    }
    index.save(part)
  })
  // The size of the candidate list belongs to the index object.
  let current = { ef: 0 }
  return (query, ef) => {
    if (current.ef !== ef) {
      current = { ef, index: make(ef) }
      current.index.load(file)
    }
    return Array.from(current.index.search(query.values, k, 1).keys, Number)
  }
}

async function zvec({ name, base }, keep) {
  const { default: z } = await import('@zvec/zvec')
  const path = join(keep, `zvec-${name}`)
  const indexParams = { indexType: z.ZVecIndexType.HNSW, metricType: z.ZVecMetricType.COSINE, m, efConstruction }
  const embedding = { name: 'embedding', dataType: z.ZVecDataType.VECTOR_FP32, dimension: base.columns, indexParams }
  await once('@zvec/zvec', path, (part) => {
    const schema = new z.ZVecCollectionSchema({ name: 'bench', vectors: embedding })
    const collection = z.ZVecCreateAndOpen(part, schema)
    const step = 500
    for (let from = 0; from < base.rows; from += step) {
      const length = Math.min(step, base.rows - from)
      collection.insertSync(
        Array.from({ length }, (_, at) => ({ id: String(from + at), vectors: { embedding: base.row(from + at) } })),
      )
    }
    collection.optimizeSync()
    collection.closeSync()
  })
  const collection = z.ZVecOpen(path, { readOnly: true })
  return (query, ef) =>
    collection
      .querySync({
        fieldName: 'embedding',
        topk: k,
        vector: query.values,
        outputFields: [],
        params: { indexType: z.ZVecIndexType.HNSW, ef },
      })
      .map(({ id }) => Number(id))
}

async function lancedb({ name, base }, keep) {
  const lance = await import('@lancedb/lancedb')
  const path = join(keep, `lancedb-${name}`)
  await once('@lancedb/lancedb', path, async (part) => {
    const connection = await lance.connect(part)
    const step = 20_000
    let table
    for (let from = 0; from < base.rows; from += step) {
      const length = Math.min(step, base.rows - from)
      const rows = Array.from({ length }, (_, at) => ({ id: from + at, vector: Array.from(base.row(from + at)) }))
      if (table) await table.add(rows)
      else table = await connection.createTable('bench', rows)
    }
    const config = lance.Index.hnswSq({ distanceType: 'cosine', numPartitions: 1, m, efConstruction })
    await table.createIndex('vector', { config })
    await table.waitForIndex(['vector_idx'], 3600)
  })
  const table = await (await lance.connect(path)).openTable('bench')
  // Its codes have 8 bits; without the refinement its recall stays below .95. It asks for as many candidates as are refined.
  const refined = 5
  return async (query, ef) => {
    const search = table.query().nearestTo(query.values).distanceType('cosine')
    const found = await search
      .ef(Math.max(ef, k * refined))
      .refineFactor(refined)
      .limit(k)
      .select(['id', '_distance'])
      .toArray()
    return found.map(({ id }) => Number(id))
  }
}

export const peers = { 'hnswlib-node': hnswlibNode, usearch, '@zvec/zvec': zvec, '@lancedb/lancedb': lancedb }
