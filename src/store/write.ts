// Writes a version: lock, fill the draft, digest, gate, publish. Until the version has its final name a failure leaves nothing.
import { Interrupt } from '../abort.js'
import { CutoverError, native } from '../errors.js'
import { NativeProgress } from '../native.js'
import type { NativeStore, NativeStoreDraft } from '../native.js'
import { Reporter } from '../progress.js'
import { parsePublished } from '../version.js'
import type { Published } from '../version.js'
import type { StoreWrite } from './options.js'

/** How a draft is finished. */
export interface Finish {
  readonly required: readonly string[]
  readonly gate: StoreWrite['gate']
}

/** Writes a version that `fill` fills; `signal` of its interrupt is what the caller's build is told. */
export async function write(
  store: NativeStore,
  required: readonly string[],
  options: Pick<StoreWrite, 'json' | 'signal' | 'onProgress' | 'gate'>,
  fill: (draft: NativeStoreDraft, interrupt: Interrupt) => Promise<void>,
): Promise<Published> {
  const interrupt = new Interrupt(options.signal)
  const reporter = new Reporter(options.onProgress, (error) => interrupt.fire(error))
  try {
    reporter.report('waiting', 0)
    const draft = await native(() => store.beginDraft(options.json, interrupt.token))
    try {
      interrupt.check()
      reporter.report('building', 0)
      await fill(draft, interrupt)
      interrupt.check()
      return await finish(draft, { required, gate: options.gate }, interrupt, reporter)
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

/** Makes a filled draft a version. */
export async function finish(
  draft: NativeStoreDraft,
  { required, gate }: Finish,
  interrupt: Interrupt,
  reporter: Reporter,
): Promise<Published> {
  const progress = new NativeProgress('verifying')
  reporter.report('verifying', 0)
  await reporter.during(
    () => progress.look(),
    native(() => draft.complete([...required], progress, interrupt.token)),
  )
  interrupt.check()
  if (gate) await pass(draft, gate, interrupt)
  reporter.report('publishing', 0, 1)
  interrupt.check()
  return parsePublished(await native(() => draft.publish(interrupt.token)))
}

/** Shows the finished draft to the caller's gate, then makes sure that it is still what was digested. */
async function pass(draft: NativeStoreDraft, gate: NonNullable<Finish['gate']>, interrupt: Interrupt): Promise<void> {
  try {
    await interrupt.race(Promise.resolve(gate(draft.directory)))
  } catch (cause) {
    interrupt.check()
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new CutoverError('CUTOVER_GATE', `the gate refused version ${draft.version}: ${message}`, {
      cause,
      detail: { version: draft.version },
    })
  }
  await native(() => draft.check())
}
