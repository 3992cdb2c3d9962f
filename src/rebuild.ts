// Replaces everything: lock, read, build, verify, gate, publish. Until the version has its final name a failure leaves nothing.
import { Interrupt } from './abort.js'
import type { Embedders } from './embedding/options.js'
import { Caches } from './embedding/paid-for.js'
import { Stage } from './embedding/stage.js'
import { CutoverError, native } from './errors.js'
import { feed } from './feed.js'
import type { NativeDraft, NativeIndex } from './native.js'
import type { AdoptedGraph, Write } from './options.js'
import { Reporter } from './progress.js'
import { shapeOf } from './schema.js'
import type { Fields, Shape } from './schema.js'
import { SnapshotHandle } from './snapshot-handle.js'
import { SourceReader } from './source.js'
import { parsePublished } from './version.js'
import type { Published } from './version.js'

/**
 * Rebuilds the index from the source, which has been checked. `began` is called once the lock is held, before the source is.
 * Rejects with the signal's reason, or with why it failed.
 */
export async function rebuild(
  index: NativeIndex,
  source: unknown,
  write: Write,
  embedders: Embedders | undefined,
  began?: () => void,
): Promise<Published> {
  const interrupt = new Interrupt(write.signal)
  const reporter = new Reporter(write.onProgress, (error) => interrupt.fire(error))
  try {
    reporter.report('waiting', 0)
    const draft = await native(() => index.beginDraft(write.json, interrupt.token))
    began?.()
    try {
      interrupt.check()
      for (const [name, path] of write.artifacts) await native(() => draft.attach(name, path, interrupt.token))
      if (write.graph) await adopt(draft, write.graph, interrupt)
      const shape = shapeOf(index.fields())
      if (embedders) await readEmbedding(draft, source, shape, write, interrupt, reporter, embedders)
      else await read(draft, source, shape, write, interrupt, reporter)
      await reporter.during(
        () => draft.progress(),
        native(() => draft.complete(interrupt.token)),
      )
      interrupt.check()
      if (write.gate) await pass(draft, write.gate, interrupt, embedders)
      reporter.report('publishing', 0, 1)
      interrupt.check()
      return parsePublished(await native(() => draft.publish(interrupt.token)))
    } catch (error) {
      // What cannot be removed now, the next writer removes; the failure that led here is the one to tell.
      await draft.discard().catch(() => {})
      throw error
    }
  } catch (error) {
    throw interrupt.explain(error)
  } finally {
    interrupt.dispose()
  }
}

/** Has the draft take over a graph, for the rows that the source will have documents for. */
async function adopt(draft: NativeDraft, { field, path, rows }: AdoptedGraph, interrupt: Interrupt): Promise<void> {
  const { labels, deleted } = await native(() => draft.adoptGraph(field, path, interrupt.token))
  const kept = await interrupt.race(rows(labels, deleted))
  await native(() => draft.adoptRows(kept))
}

async function read(
  draft: NativeDraft,
  source: unknown,
  shape: Shape,
  write: Write,
  interrupt: Interrupt,
  reporter: Reporter,
  stage?: Stage,
): Promise<void> {
  reporter.report('reading', 0)
  const reader = await SourceReader.open(source, interrupt)
  try {
    const told = (n: number): void => reporter.report('reading', n)
    const count = await feed(draft, reader, shape, interrupt, write.onInvalid, told, stage)
    reporter.report('reading', count, count)
  } finally {
    await reader.close()
  }
}

/** Reads a source whose documents get the vectors that they lack. */
async function readEmbedding(
  draft: NativeDraft,
  source: unknown,
  shape: Shape,
  write: Write,
  interrupt: Interrupt,
  reporter: Reporter,
  embedders: Embedders,
): Promise<void> {
  const caches = new Caches(draft, embedders.cacheBytes, write.reuse)
  try {
    const stage = new Stage(embedders, shape, caches, interrupt, write.onInvalid)
    await read(draft, source, shape, write, interrupt, reporter, stage)
    await native(() => draft.setReused(stage.reused))
  } finally {
    caches.close()
  }
}

/** Shows the finished draft to the caller's gate. */
async function pass(
  draft: NativeDraft,
  gate: NonNullable<Write['gate']>,
  interrupt: Interrupt,
  embedders: Embedders | undefined,
): Promise<void> {
  const snapshot = new SnapshotHandle<Fields>(draft.snapshot(), undefined, embedders)
  try {
    await interrupt.race(Promise.resolve(gate(snapshot)))
  } catch (cause) {
    interrupt.check()
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new CutoverError('CUTOVER_GATE', `the gate refused version ${draft.version}: ${message}`, {
      cause,
      detail: { version: draft.version },
    })
  } finally {
    await snapshot.close()
  }
}
