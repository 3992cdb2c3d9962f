// Numbers, times and strangers' text as people read them.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** A size: `999 B`, `1.5 KiB`, `120 GiB`. */
export function bytes(size: number): string {
  let [value, unit] = [size, 0]
  while (value >= 1023.95 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1]
  const text = unit === 0 || value >= 99.95 ? Math.round(value).toString() : value.toFixed(1)
  return `${text} ${UNITS[unit]}`
}

/** A whole number with its thousands apart: `12,345`. */
export const count = (value: number): string => value.toLocaleString('en-US')

/** So many of something: `1 document`, `2 documents`. */
export const many = (value: number, one: string, several = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : several}`

/** How long ago something was: `12 s`, `3 min`, `5 h`, `12 d`. A clock that ran ahead counts as now. */
export function age(then: Date, now = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - then.getTime()) / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`
  return `${count(Math.floor(seconds / 86_400))} d`
}

/** How long something took: `0.3 ms`, `45 ms`, `1.2 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 0.05) return 'less than 0.1 ms'
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`
}

/** Text from elsewhere on one line: whatever could steer a terminal, or reorder what it shows, becomes a space. */
export const printable = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]+/gu, ' ')
    .trim()

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const WIDE =
  /\p{Emoji_Presentation}|\uFE0F|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}]/u
const ASCII = /^[ -~]*$/

/** Columns that a terminal needs for the text. */
export function width(text: string): number {
  if (ASCII.test(text)) return text.length
  let columns = 0
  for (const { segment } of graphemes.segment(text)) columns += WIDE.test(segment) ? 2 : 1
  return columns
}

/** The text in at most so many columns; what was cut off leaves an ellipsis. */
export function cut(text: string, columns: number): string {
  // No character is wider than two columns, so what is far too long need not be measured whole.
  const head = text.length > 8 * columns + 64 ? text.slice(0, 8 * columns + 64) : text
  if (head === text && width(text) <= columns) return text
  let [kept, used] = ['', 0]
  for (const { segment } of graphemes.segment(head)) {
    const wide = WIDE.test(segment) ? 2 : 1
    if (used + wide > columns - 1) break
    kept += segment
    used += wide
  }
  return columns > 0 ? `${kept}…` : ''
}
