// Latencies and sizes as a person reads them.

/** The value below which `share` of the numbers lie. */
export function percentile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const ms = (value) => `${value.toFixed(value < 10 ? 2 : 1)} ms`
export const seconds = (value) => `${(value / 1000).toFixed(1)} s`
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`

/** Columns, as wide as they must be. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)))
  const line = (row) => row.map((cell, column) => String(cell).padEnd(widths[column])).join('  ')
  return rows.map((row) => `  ${line(row).trimEnd()}`).join('\n')
}

/** p50 and p99 of the samples that were due from `from` until `to`. */
export function latencies(samples, from, to) {
  const times = samples.filter(({ due }) => due >= from && due < to).map((sample) => sample.ms)
  return `${ms(percentile(times, 0.5))} / ${ms(percentile(times, 0.99))} of ${times.length.toLocaleString('en')}`
}
