// As many of a kind are named in an error as a person reads; all are counted.
import { show } from '../validate.js'

/** As many of a kind are named in an error; the rest is counted. */
export const NAMED = 10

/** Counts all, names some. */
export class Named {
  readonly named: unknown[] = []
  count = 0

  add(what: unknown): void {
    if (this.count++ < NAMED) this.named.push(what)
  }

  tell(what: string, path: string): string {
    return this.count === 0 ? '' : `${path} has ${this.count} ${what}: ${this.named.map(show).join(', ')}`
  }
}
