// Aligned columns for people.
import { cut, width } from './human.js'

/** A column: its title, and whether its values are numbers, which stand at its right. */
export interface Column {
  readonly title: string
  readonly right?: boolean
}

const GAP = '  '

const padded = (text: string, columns: number, right: boolean): string => {
  const space = ' '.repeat(Math.max(0, columns - width(text)))
  return right ? space + text : text + space
}

/** The lines of a table, its titles first. With a limit the last column is cut to fit. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], limit?: number): string[] {
  const all = [columns.map(({ title }) => title), ...rows]
  const widths = columns.map((_, at) => Math.max(...all.map((row) => width(row[at] ?? ''))))
  const last = columns.length - 1
  const before = widths.slice(0, last).reduce((sum, columnWidth) => sum + columnWidth + GAP.length, 0)
  return all.map((row) => {
    const cells = columns.map(({ right = false }, at) => {
      const text = row[at] ?? ''
      if (at < last || right) return padded(text, widths[at] ?? 0, right)
      return limit === undefined ? text : cut(text, Math.max(8, limit - before))
    })
    return cells.join(GAP).trimEnd()
  })
}

/** Names and what they stand for, a line each, values in one column. Values are cut to the limit, where there is one. */
export function pairs(
  rows: readonly (readonly [name: string, value: string])[],
  indent = '',
  limit?: number,
): string[] {
  const names = Math.max(0, ...rows.map(([name]) => width(name)))
  const room = limit === undefined ? undefined : Math.max(8, limit - indent.length - names - GAP.length)
  return rows.map(([name, value]) =>
    `${indent}${padded(name, names, false)}${GAP}${room === undefined ? value : cut(value, room)}`.trimEnd(),
  )
}
