// Latencies and sizes as a person reads them.

/** The value below which `share` of the numbers lie. */
export function percentile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const ms = (value) => `${value.toFixed(value < 10 ? 2 : 1)} ms`
export const seconds = (value) => `${(value / 1000).toFixed(1)} s`
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`

/** Two columns, as wide as they must be. */
export function table(rows) {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n')
}

/** p50 and p99 of the samples that were due from `from` until `to`. */
export function latencies(samples, from, to) {
  const times = samples.filter(({ due }) => due >= from && due < to).map((sample) => sample.ms)
  return `${ms(percentile(times, 0.5))} / ${ms(percentile(times, 0.99))} of ${times.length.toLocaleString('en')}`
}
