// What verify and repair found, as the commands show it.
import type { Problem } from '../reports.js'
import { printable } from './human.js'
import type { Output } from './output.js'
import { table } from './table.js'

/** A table of problems; nothing where there are none. */
export function problemLines(problems: readonly Problem[], out: Output): string[] {
  if (problems.length === 0) return []
  const columns = [{ title: 'VERSION' }, { title: 'PROBLEM' }, { title: 'FILE' }, { title: 'DETAIL' }]
  const rows = problems.map(({ version, kind, file, detail }) => [
    version ?? '-',
    kind,
    printable(file),
    printable(detail),
  ])
  return out.titled(table(columns, rows))
}
