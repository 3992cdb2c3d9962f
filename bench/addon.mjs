// `node bench/addon.mjs`: the size of the addon as it is packed, stripped, and compressed as npm sends it.
import { readFileSync, readdirSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { megabytes, table } from '../examples/demo/figures.mjs'

const root = new URL('../', import.meta.url)
const rows = readdirSync(root)
  .filter((name) => name.endsWith('.node'))
  .map((name) => {
    const bytes = readFileSync(new URL(name, root))
    return [name, `${megabytes(bytes.length)}, ${megabytes(gzipSync(bytes).length)} compressed`]
  })
console.log(rows.length > 0 ? table(rows) : 'There is no addon: run `npm run build`.')
