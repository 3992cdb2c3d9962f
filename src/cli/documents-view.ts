// Documents and hits as the commands show them.
import { printable } from './human.js'
import type { Output } from './output.js'
import { pairs } from './table.js'

/** A value on one line: text as it is, a vector by its first components, everything else as JSON. */
function valueOf(value: unknown): string {
  if (typeof value === 'string') return printable(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Float32Array) {
    const shown = Array.from(value.subarray(0, 4), (component) => Number(component.toPrecision(4))).join(', ')
    return value.length > 4 ? `[${shown}, … ${value.length} components]` : `[${shown}]`
  }
  if (Array.isArray(value)) return value.map(valueOf).join(', ')
  return printable(JSON.stringify(value))
}

/** The fields of a document, a line each; cut to the terminal unless they are to be whole. */
export function fieldLines(document: object, out: Output, whole = false): string[] {
  const rows = Object.entries(document)
    .filter(([name]) => name !== 'id')
    .map(([name, value]) => [printable(name), valueOf(value)] as const)
  return pairs(rows, '    ', whole ? undefined : (out.columns ?? 120))
}
