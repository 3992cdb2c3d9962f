// Stopping calls: by a signal, by a deadline, by identity, and without leaving a listener behind.
import { getEventListeners } from 'node:events'
import test from 'ava'
import { isCutoverError } from 'cutover'
import { Interrupt, limited } from '#dist/abort.js'

const cancelled = (): Error => new Error(JSON.stringify({ code: 'CANCELLED', message: 'cancelled' }))
/** A native call that runs until it is settled. */
function running(): { promise: Promise<string>; stop: (error?: Error) => void } {
  const settle: { resolve?: (value: string) => void; reject?: (error: Error) => void } = {}
  const promise = new Promise<string>((resolve, reject) => Object.assign(settle, { resolve, reject }))
  return { promise, stop: (error) => (error ? settle.reject?.(error) : settle.resolve?.('done')) }
}

test('a call without limits gets no token', async (t) => {
  t.is(await limited(undefined, undefined, async (token) => typeof token), 'undefined')
})

test('an aborted signal rejects with its reason before anything is called', async (t) => {
  const reason = { my: 'reason' }
  let called = false
  const call = limited(AbortSignal.abort(reason), undefined, async () => {
    called = true
  })
  t.is(
    await call.then(
      () => undefined,
      (error: unknown) => error,
    ),
    reason,
  )
  t.false(called)
})

test("an abort rejects with the signal's reason, by identity, once the native side has stopped", async (t) => {
  const controller = new AbortController()
  const { promise, stop } = running()
  const call = limited(controller.signal, undefined, () => promise)
  const reason = new Error('mine')
  controller.abort(reason)
  stop(cancelled())
  t.is(await t.throwsAsync(call), reason)
  t.is(getEventListeners(controller.signal, 'abort').length, 0)
})

test('a call that ended before it could be stopped resolves', async (t) => {
  const controller = new AbortController()
  const { promise, stop } = running()
  const call = limited(controller.signal, undefined, () => promise)
  controller.abort()
  stop()
  t.is(await call, 'done')
})

test('a failure that has nothing to do with the abort is told as it is', async (t) => {
  const controller = new AbortController()
  const { promise, stop } = running()
  const call = limited(controller.signal, undefined, () => promise)
  controller.abort()
  stop(new Error(JSON.stringify({ code: 'CUTOVER_INDETERMINATE', message: 'm' })))
  t.true(isCutoverError(await t.throwsAsync(call), 'CUTOVER_INDETERMINATE'))
})

test('a deadline is CUTOVER_TIMEOUT', async (t) => {
  const error = await t.throwsAsync(
    limited(undefined, 1, async (token) => {
      // The deadline passes while the call runs: its token is cancelled, and the native side then says so.
      await new Promise<void>((resolve) => {
        Object.assign(token ?? t.fail(), { cancel: resolve })
      })
      throw cancelled()
    }),
  )
  t.true(isCutoverError(error, 'CUTOVER_TIMEOUT'))
  t.true(isCutoverError(error) && error.retryable && error.detail.timeoutMs === 1)
})

test('every listener is removed, however the call ends', async (t) => {
  const { signal } = new AbortController()
  await limited(signal, 1000, async () => 1)
  await t.throwsAsync(limited(signal, 1000, () => Promise.reject(new Error('x'))))
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('a race ends with the interruption, though the promise never does', async (t) => {
  const interrupt = new Interrupt(undefined)
  const race = interrupt.race(new Promise(() => {}))
  interrupt.fire('first')
  interrupt.fire('second')
  t.is(
    await race.then(
      () => undefined,
      (error: unknown) => error,
    ),
    'first',
  )
  t.throws(() => interrupt.check(), { any: true })
  t.is(
    await interrupt.race(Promise.resolve(1)).then(
      () => undefined,
      (error: unknown) => error,
    ),
    'first',
  )
})

test('a race that is won leaves nothing for a later interruption', async (t) => {
  const interrupt = new Interrupt(undefined)
  t.is(await interrupt.race(Promise.resolve(1)), 1)
  t.notThrows(() => interrupt.fire(new Error('late')))
})
