// What a store knows to be current, kept for its watcher.
import { native } from '../errors.js'
import type { NativeStore } from '../native.js'

/** The version that was current when the store last looked. Looks run one after another, so that what is known never goes back. */
export class Current {
  readonly #store: NativeStore
  #json: string | null = null
  #running: Promise<boolean> | undefined
  #next: Promise<boolean> | undefined

  constructor(store: NativeStore) {
    this.#store = store
  }

  /** Its facts as JSON. */
  readonly current = (): string | null => this.#json

  /** What its checks in the background found since the last call, as JSON. */
  readonly problems = (): string => this.#store.problems()

  /** Looks; whether anything changed. Those who ask while a look runs share the next one: what they learn was so after they asked. */
  readonly refresh = (): Promise<boolean> => {
    if (this.#next) return this.#next
    if (!this.#running) return this.#start()
    const start = (): Promise<boolean> => this.#start()
    this.#next = this.#running.then(start, start)
    return this.#next
  }

  #start(): Promise<boolean> {
    this.#next = undefined
    this.#running = this.#look().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #look(): Promise<boolean> {
    const json = await native(() => this.#store.current())
    const changed = json !== this.#json
    this.#json = json
    return changed
  }
}
