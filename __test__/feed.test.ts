import test from 'ava'
// How documents go from a source to a draft: in order, in small batches, no more on their way than can be used, and off the
// thread at once. The draft here is one of the test's own.
import type { CutoverError } from 'cutover'
import { isCutoverError } from 'cutover'
import { Interrupt } from '#dist/abort.js'
import { feed } from '#dist/feed.js'
import type { NativeDraft } from '#dist/native.js'
import { shapeOf } from '#dist/schema.js'
import { SourceReader, checkSource } from '#dist/source.js'

const shape = shapeOf('{"title":{"type":"text"},"e":{"type":"vector","dimensions":2}}')
const tick = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })

type Answer = (lines: string[]) => object[]
/** A draft that takes batches one after another, a turn of the loop each, and answers what is invalid in them. */
class Draft {
  readonly lines: string[] = []
  inFlight = 0
  most = 0
  readonly #invalid: Answer
  #queue: Promise<unknown> = Promise.resolve()

  constructor(invalid: Answer = () => []) {
    this.#invalid = invalid
  }

  add(batch: Uint8Array): Promise<string> {
    this.most = Math.max(this.most, ++this.inFlight)
    // Read before this returns, as the native side does: the batch's memory is used again.
    const lines = Buffer.from(batch).toString().trimEnd().split('\n')
    const answer = this.#queue.then(async () => {
      await tick()
      this.inFlight--
      this.lines.push(...lines)
      return JSON.stringify({ invalid: this.#invalid(lines) })
    })
    this.#queue = answer.catch(() => {})
    return answer
  }
}

interface Run {
  draft?: Draft
  onInvalid?: 'throw' | 'skip' | ((error: CutoverError) => void)
  signal?: AbortSignal
}

async function run(source: unknown, { draft = new Draft(), onInvalid = 'throw', signal }: Run = {}): Promise<string[]> {
  const interrupt = new Interrupt(signal)
  const reader = await SourceReader.open(source, interrupt)
  try {
    await feed(draft as unknown as NativeDraft, reader, shape, interrupt, onInvalid, () => {})
  } finally {
    await reader.close()
    interrupt.dispose()
  }
  return draft.lines.map((line) => (JSON.parse(line) as { id: string }).id)
}

function* numbered(count: number, text = ''): Generator<{ id: string; title: string }> {
  for (let n = 0; n < count; n++) yield { id: `${n}`, title: text }
}
async function* later(): AsyncGenerator<object> {
  for (const document of numbered(3)) {
    await tick()
    yield document
  }
}
function* endless(): Generator<object> {
  for (;;) yield { id: 'x', title: 'x'.repeat(1000) }
}
async function* ready(): AsyncGenerator<object> {
  yield* numbered(20_000, 'x'.repeat(100))
}
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `${n}`)
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

test('every form of a source is read whole and in order', async (t) => {
  for (const source of [
    [...numbered(3)],
    new Set(numbered(3)),
    numbered(3),
    later(),
    () => numbered(3),
    async () => later(),
    // An asynchronous iterator that answers at once.
    {
      [Symbol.asyncIterator]: () => ({
        at: 0,
        next() {
          return { done: this.at === 3, value: { id: `${this.at++}` } }
        },
      }),
    },
  ])
    t.deepEqual(await run(source), ids(3))
})

test('no document is no batch', async (t) => {
  const draft = new Draft()
  t.deepEqual(await run([], { draft }), [])
  t.is(draft.most, 0)
})

test('a source is not read further ahead than eight batches', async (t) => {
  const draft = new Draft()
  t.is((await run(numbered(3000, 'x'.repeat(2000)), { draft })).length, 3000)
  t.true(draft.most > 1)
  t.true(draft.most <= 8, `${draft.most}`)
})

test('what is not a source is a TypeError that shows it', async (t) => {
  for (const value of ['documents.json', 7, null, undefined, {}, { next() {} }]) {
    t.throws(() => checkSource(value), { instanceOf: TypeError, message: /documents must be an iterable/ })
    await t.throwsAsync(
      run(() => value),
      { instanceOf: TypeError, message: /a function that gives an iterable/ },
    )
  }
  t.throws(() => checkSource('documents.json'), { message: /got 'documents\.json'/ })
})

test('what a source throws is the cause of CUTOVER_SOURCE, with how far it came', async (t) => {
  const cause = new Error('the database went away')
  function* half(): Generator<object> {
    yield* numbered(2)
    throw cause
  }
  async function* halfLater(): AsyncGenerator<object> {
    yield* half()
  }
  for (const source of [half(), halfLater(), () => halfLater()]) {
    const error = await rejection(run(source))
    t.true(isCutoverError(error, 'CUTOVER_SOURCE') && error.cause === cause && error.detail.documents === 2)
    t.regex((error as Error).message, /after 2 documents: the database went away/)
  }
  for (const source of [
    () => {
      throw cause
    },
    () => Promise.reject(cause),
    {
      [Symbol.iterator]() {
        throw cause
      },
    },
  ]) {
    const error = await rejection(run(source))
    t.true(isCutoverError(error, 'CUTOVER_SOURCE') && error.cause === cause && error.detail.documents === 0)
  }
})

test('a source is closed when a document of it is refused', async (t) => {
  for (const make of [
    function* (log: string[]): Generator<unknown> {
      try {
        yield { id: 'a' }
        yield { id: 7 }
        yield { id: 'c' }
      } finally {
        log.push('closed')
      }
    },
    async function* (log: string[]): AsyncGenerator<unknown> {
      try {
        yield { id: 'a' }
        yield { id: 7 }
        yield { id: 'c' }
      } finally {
        await tick()
        log.push('closed')
      }
    },
  ]) {
    const log: string[] = []
    const error = await rejection(run(make(log)))
    t.true(isCutoverError(error, 'CUTOVER_DOCUMENT') && error.detail.position === 1)
    t.deepEqual(log, ['closed'])
  }
})

test('of two invalid documents the first is told of, whoever finds it', async (t) => {
  const draft = new Draft((lines) => {
    if (lines.some((line) => line.includes('"native"')))
      throw new Error(JSON.stringify({ code: 'CUTOVER_DOCUMENT', message: 'native', detail: { id: 'native' } }))
    return []
  })
  const error = await rejection(run([{ id: 'native' }, { id: 7 }], { draft }))
  t.true(isCutoverError(error, 'CUTOVER_DOCUMENT') && error.detail.id === 'native')
})

test('a batch that is refused ends the reading, though the source would go on for ever', async (t) => {
  const draft = new Draft(() => {
    throw new Error(JSON.stringify({ code: 'CUTOVER_NO_SPACE', message: 'full' }))
  })
  t.true(isCutoverError(await rejection(run(endless(), { draft })), 'CUTOVER_NO_SPACE'))
})

test('skipped documents are each told once, and stand as lines that are counted', async (t) => {
  const nothing = { code: 'CUTOVER_DOCUMENT', message: 'no id', detail: { id: '', field: 'id', value: 'nothing' } }
  const draft = new Draft((lines) =>
    lines.flatMap((line) =>
      line === '{}'
        ? [nothing]
        : line.includes('bad')
          ? [{ code: 'CUTOVER_DOCUMENT', message: 'bad', detail: { id: 'bad', field: 'title' } }]
          : [],
    ),
  )
  const told: CutoverError[] = []
  const source = [{ id: 'a' }, { id: 7 }, { id: 'bad' }, { id: 'c', title: Number.NaN }, 'x', { id: 'd' }]
  await run(source, { draft, onInvalid: (error) => void told.push(error) })
  t.deepEqual(draft.lines, ['{"id":"a"}', '{}', '{"id":"bad"}', '{}', '{}', '{"id":"d"}'])
  t.true(told.every((error) => isCutoverError(error, 'CUTOVER_DOCUMENT')))
  t.deepEqual(told.map((error) => error.detail.id).toSorted(), ['', '', 'bad', 'c'])
})

test('a throw of onInvalid ends the write with what it threw', async (t) => {
  const mine = new Error('enough')
  const stop = (): never => {
    throw mine
  }
  t.is(await rejection(run([{ id: 7 }], { onInvalid: stop })), mine)
  const draft = new Draft(() => [{ code: 'CUTOVER_DOCUMENT', message: 'bad', detail: { id: 'bad' } }])
  t.is(await rejection(run([{ id: 'bad' }], { draft, onInvalid: stop })), mine)
})

test('an abort ends a source that never answers', async (t) => {
  const controller = new AbortController()
  const reason = new Error('mine')
  const silent = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        setImmediate(() => controller.abort(reason))
        return new Promise(() => {})
      },
      return: () => new Promise(() => {}),
    }),
  }
  t.is(await rejection(run(silent, { signal: controller.signal })), reason)
})

test('an abort ends a source that is always ready, and closes it', async (t) => {
  const controller = new AbortController()
  let closed = false
  function* unending(): Generator<object> {
    try {
      setImmediate(() => controller.abort('mine'))
      for (;;) yield { id: 'x' }
    } finally {
      closed = true
    }
  }
  t.is(await rejection(run(unending(), { signal: controller.signal })), 'mine')
  t.true(closed)
})

test('an abort that the source itself reports is told as the abort', async (t) => {
  const controller = new AbortController()
  const reason = new Error('mine')
  function* stopping(): Generator<object> {
    yield { id: 'a' }
    controller.abort(reason)
    throw new Error('the request was aborted')
  }
  t.is(await rejection(run(stopping(), { signal: controller.signal })), reason)
})

test('documents that are ready at once leave the thread every millisecond or so', async (t) => {
  // Counted in turns of the loop, not on a clock: between two turns lie the documents of one slice.
  let [turns, running] = [0, true]
  const count = (): void => {
    turns++
    if (running) setImmediate(count)
  }
  setImmediate(count)
  await run(ready())
  running = false
  // 20,000 documents of 100 characters are 18 batches; a reader that leaves the thread for full batches alone makes fewer turns.
  t.true(turns > 2, `${turns}`)
})
