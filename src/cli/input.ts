// What commands read: JSON given inline, in a file or on stdin, and documents one a line.
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { EXIT, Failure } from './exit.js'

/** JSON from an argument: inline where it begins as JSON does, stdin for `-`, else the file of that name. */
export async function jsonArgument(argument: string, option: string): Promise<unknown> {
  const inline = /^\s*[[{"]/.test(argument)
  const source = inline ? argument : await read(argument)
  try {
    return JSON.parse(source) as unknown
  } catch (error) {
    const where = inline ? option : `${option} ${argument}`
    throw new Failure(`${where} is not JSON: ${(error as Error).message}`, EXIT.usage, { cause: error })
  }
}

async function read(path: string): Promise<string> {
  if (path === '-') return text(process.stdin)
  const file = await open(path)
  try {
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** The longest line that is taken for a document, in bytes: the library's own limit and room for vectors. */
const LONGEST_LINE = 64 * 1024 * 1024
/** Lines remembered to tell where a document came from; more are never on their way at once. */
const REMEMBERED = 131_072

/** Where documents come from. */
interface Source {
  readonly name: string
  open(): Promise<Readable>
}

/** Documents in NDJSON files, or on stdin, read as they are needed. */
export class DocumentLines {
  /** Lines left out because they are not JSON objects. */
  skipped = 0
  readonly #sources: readonly Source[]
  readonly #onInvalid: ((error: Failure) => void) | undefined
  readonly #lines = new Map<string, string>()
  readonly #files: FileHandle[]

  private constructor(
    sources: readonly Source[],
    files: FileHandle[],
    onInvalid: ((error: Failure) => void) | undefined,
  ) {
    this.#sources = sources
    this.#files = files
    this.#onInvalid = onInvalid
  }

  /** Opens every file, so that a missing one is told of before anything is written. No path is stdin, as is `-`. */
  static async open(paths: readonly string[], onInvalid?: (error: Failure) => void): Promise<DocumentLines> {
    const files: FileHandle[] = []
    const sources: Source[] = []
    try {
      for (const path of paths.length > 0 ? paths : ['-']) {
        if (path === '-') {
          sources.push({ name: 'stdin', open: async () => process.stdin })
          continue
        }
        const file = await open(path)
        files.push(file)
        if ((await file.stat()).isDirectory())
          throw new Failure(`${path} is a directory, not a file of documents`, EXIT.usage)
        sources.push({ name: path, open: async () => file.createReadStream({ highWaterMark: 256 * 1024 }) })
      }
    } catch (error) {
      await Promise.all(files.map((file) => file.close()))
      throw error
    }
    return new DocumentLines(sources, files, onInvalid)
  }

  /** The documents, file after file. A line that is none ends the reading with its place, or is left out and told of. */
  async *documents(): AsyncGenerator<{ id: string }, undefined> {
    for (const source of this.#sources) {
      let number = 0
      for await (const line of lines(await source.open(), source.name)) {
        number++
        if (line.trim() === '') continue
        const place = `${source.name}:${number}`
        const document = this.#parse(line, place)
        if (!document) continue
        this.#remember(document, place)
        yield document
      }
    }
    return undefined
  }

  /** Where the document of this id was read, if that was lately. */
  placeOf(id: unknown): string | undefined {
    return typeof id === 'string' ? this.#lines.get(id) : undefined
  }

  /** Closes the files. */
  async close(): Promise<void> {
    for (const file of this.#files) await file.close().catch(() => {})
    process.stdin.destroy()
  }

  #parse(line: string, place: string): { id: string } | undefined {
    let error: Failure
    try {
      const value = JSON.parse(line) as unknown
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as { id: string }
      error = new Failure(`${place}: a document must be a JSON object`)
    } catch (cause) {
      error = new Failure(`${place}: not JSON: ${(cause as Error).message}`, EXIT.problem, { cause })
    }
    if (!this.#onInvalid) throw error
    this.skipped++
    this.#onInvalid(error)
    return undefined
  }

  #remember({ id }: { id: unknown }, place: string): void {
    if (typeof id !== 'string') return
    this.#lines.delete(id)
    this.#lines.set(id, place)
    if (this.#lines.size <= REMEMBERED) return
    for (const oldest of this.#lines.keys()) {
      this.#lines.delete(oldest)
      break
    }
  }
}

/** The lines of a stream of UTF-8, a byte order mark left out. Several at once come without a promise each. */
async function* lines(stream: Readable, name: string): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  const decode = (bytes: Uint8Array | undefined): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
    } catch (cause) {
      throw new Failure(`${name}: not UTF-8`, EXIT.problem, { cause })
    }
  }
  for await (const chunk of stream) {
    const parts = decode(chunk as Uint8Array).split('\n')
    const [first = ''] = parts
    parts[0] = rest + first
    rest = parts.pop() ?? ''
    if (rest.length > LONGEST_LINE) throw new Failure(`${name}: a line is longer than 64 MiB`)
    yield* parts
  }
  rest += decode(undefined)
  if (rest !== '') yield rest
  return undefined
}
