// UTF-8 that is written as it comes, into memory that is used again: a string of all of it would be new pages for each batch.

/** UTF-8 takes at most so many bytes for each of a string's UTF-16 units. */
const MOST_BYTES = 3

/** Collects the bytes of strings until they are taken. */
export class TextBuffer {
  readonly #room: number
  #bytes: Buffer
  #used = 0

  /** With room for so many bytes, which it keeps; for more, more is made until they are taken. */
  constructor(room: number) {
    this.#room = room
    this.#bytes = Buffer.allocUnsafeSlow(room)
  }

  /** Bytes that are not taken yet. */
  get length(): number {
    return this.#used
  }

  /** Appends a string and returns the number of its bytes. */
  write(text: string): number {
    if (this.#bytes.length - this.#used < text.length * MOST_BYTES) this.#makeRoom(Buffer.byteLength(text))
    const written = this.#bytes.write(text, this.#used)
    this.#used += written
    return written
  }

  /** Takes the bytes, which are good until more is appended. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#used)
    if (this.#bytes.length > this.#room) this.#bytes = Buffer.allocUnsafeSlow(this.#room)
    this.#used = 0
    return taken
  }

  #makeRoom(more: number): void {
    const needed = this.#used + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#used)
    this.#bytes = larger
  }
}
