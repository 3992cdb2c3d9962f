// Hands a source's documents to a draft: encoded in slices of half a millisecond, no more batches on their way than the native side
// can use. The JavaScript thread is never held for longer.
import type { Interrupt } from './abort.js'
import type { Stage } from './embedding/stage.js'
import { Encoder } from './encode.js'
import type { Batch } from './encode.js'
import { fromReport, native } from './errors.js'
import type { CutoverError, Report } from './errors.js'
import type { NativeDraft } from './native.js'
import type { Write } from './options.js'
import type { Shape } from './schema.js'
import type { SourceReader } from './source.js'
import { Turns } from './turns.js'

/** Batches that the native side has and has not finished. */
const MAX_IN_FLIGHT = 8

/** Reads the whole source into the draft; the number of documents read. With a stage, documents get the vectors that they lack. */
export async function feed(
  draft: NativeDraft,
  source: SourceReader,
  shape: Shape,
  interrupt: Interrupt,
  onInvalid: Write['onInvalid'],
  onRead: (documents: number) => void,
  stage?: Stage,
): Promise<number> {
  const encoder = new Encoder(shape)
  const pipe = new Pipe(draft, interrupt, onInvalid)
  const turns = new Turns()
  const pause = async (): Promise<void> => {
    if (encoder.full) {
      pipe.send(encoder.take())
      if (pipe.crowded) await interrupt.race(pipe.room())
    }
    if (turns.due) {
      await turns.take()
      interrupt.check()
      onRead(source.read)
    }
  }
  /** Hands on what is ready, and waits while there is no room for more. */
  const handOn = async (staged: Stage): Promise<void> => {
    while (staged.ready || staged.full) {
      if (staged.ready) {
        staged.hand(encoder)
      } else {
        staged.urge()
        await interrupt.race(staged.change())
      }
      if (encoder.full || turns.due) await pause()
    }
  }
  try {
    for (;;) {
      const next = source.next()
      const step = next instanceof Promise ? await next : next
      if (step.done) break
      if (stage) {
        stage.add(encoder, step.value, source.read - 1)
        if (stage.ready || stage.full) await handOn(stage)
      } else {
        encode(encoder, step.value, source.read - 1, onInvalid)
      }
      if (encoder.full || turns.due) await pause()
    }
    stage?.end()
    if (stage) await handOn(stage)
  } catch (error) {
    // Documents before this one were handed over or wait for it: if one of them is invalid, it came first.
    if (!interrupt.fired) await pipe.finish(encoder)
    throw error
  }
  await pipe.finish(encoder)
  return source.read
}

function encode(encoder: Encoder, document: unknown, position: number, onInvalid: Write['onInvalid']): void {
  try {
    encoder.add(document, position)
  } catch (error) {
    if (onInvalid === 'throw') throw error
    encoder.addRefused()
    if (typeof onInvalid === 'function') onInvalid(error as CutoverError)
  }
}

/** The batches on their way. The first failure stops the call. */
class Pipe {
  readonly #draft: NativeDraft
  readonly #interrupt: Interrupt
  readonly #onInvalid: Write['onInvalid']
  #inFlight = 0
  #wake: (() => void) | undefined

  constructor(draft: NativeDraft, interrupt: Interrupt, onInvalid: Write['onInvalid']) {
    this.#draft = draft
    this.#interrupt = interrupt
    this.#onInvalid = onInvalid
  }

  get crowded(): boolean {
    return this.#inFlight >= MAX_IN_FLIGHT
  }

  /** Resolves when a batch has been finished. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  send({ lines, texts, vectors }: Batch): void {
    this.#inFlight++
    void this.#follow(native(() => this.#draft.add(lines, texts, vectors, this.#interrupt.token)))
  }

  /** Sends what is left and waits for everything on its way. */
  async finish(encoder: Encoder): Promise<void> {
    if (!encoder.empty) this.send(encoder.take())
    while (this.#inFlight > 0) await this.#interrupt.race(this.room())
    this.#interrupt.check()
  }

  async #follow(answer: Promise<string>): Promise<void> {
    try {
      this.#report(JSON.parse(await answer) as { invalid: Report[] })
    } catch (error) {
      this.#interrupt.fire(error)
    } finally {
      this.#inFlight--
      this.#wake?.()
    }
  }

  #report({ invalid }: { invalid: Report[] }): void {
    if (typeof this.#onInvalid !== 'function') return
    for (const report of invalid) {
      // A document that has no JSON went as `{}`, without an id, and was told of when it was refused; no other has no id.
      if (report.detail?.id !== '' || report.detail.field !== 'id' || report.detail.value !== 'nothing')
        this.#onInvalid(fromReport(report) as CutoverError)
    }
  }
}
