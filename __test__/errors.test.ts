// One funnel for the errors of the native layer, and a guard that works across installs.
import { createRequire } from 'node:module'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { CutoverError, isCutoverError } from 'cutover'
import { Cancelled, fromNative, native } from '#dist/errors.js'

const told = (report: object): Error => new Error(JSON.stringify(report))

test('an error of the native layer becomes a CutoverError with its code, detail and retryable', (t) => {
  const error = fromNative(told({ code: 'CUTOVER_LOCKED', message: 'held', detail: { pid: 7 }, retryable: true }))
  t.true(error instanceof CutoverError)
  t.true(
    isCutoverError(error, 'CUTOVER_LOCKED') && error.retryable && error.detail.pid === 7 && error.message === 'held',
  )
  t.is(error.name, 'CutoverError')
})

test("a caller's mistake becomes a TypeError or RangeError", (t) => {
  t.is(fromNative(told({ code: 'TypeError', message: 'a' })).constructor, TypeError)
  t.is(fromNative(told({ code: 'RangeError', message: 'b' })).constructor, RangeError)
  t.true(fromNative(told({ code: 'CANCELLED', message: 'c' })) instanceof Cancelled)
})

test('what the funnel does not know is CUTOVER_INTERNAL, with its cause', async (t) => {
  for (const cause of [new Error('boom'), new Error('{"half'), new Error('{"code":1}'), 'text', undefined]) {
    const error = fromNative(cause)
    t.true(isCutoverError(error, 'CUTOVER_INTERNAL'))
    t.is(error.cause, cause)
  }
  await t.throwsAsync(
    native(() => Promise.reject(told({ code: 'TypeError', message: 'x' }))),
    { instanceOf: TypeError },
  )
  await t.throwsAsync(
    native(() => {
      throw told({ code: 'RangeError', message: 'x' })
    }),
    { instanceOf: RangeError },
  )
})

test('isCutoverError knows errors of other installs and realms, and nothing else', (t) => {
  const ours = new CutoverError('CUTOVER_IO', 'm')
  t.true(isCutoverError(ours))
  t.true(isCutoverError(ours, 'CUTOVER_IO'))
  t.false(isCutoverError(ours, 'CUTOVER_GATE'))
  const foreign: unknown = runInNewContext(
    "class E extends Error {}; Object.defineProperty(E.prototype, Symbol.for('cutover.error'), { value: true }); Object.assign(new E('m'), { code: 'CUTOVER_IO' })",
  )
  t.false(foreign instanceof CutoverError)
  t.true(isCutoverError(foreign, 'CUTOVER_IO'))
  for (const other of [new Error('CUTOVER_IO'), { code: 'CUTOVER_IO' }, null, undefined, 'CUTOVER_IO', 3])
    t.false(isCutoverError(other))
})

test('an error shows its code and detail, and nothing of our machinery', (t) => {
  const text = inspect(new CutoverError('CUTOVER_IO', 'cannot read', { detail: { path: '/x' } }))
  t.regex(text, /^CutoverError: cannot read/)
  t.regex(text, /code: 'CUTOVER_IO'/)
  t.notRegex(text, /Symbol|brand/)
})

test('the package can be required', (t) => {
  const required = createRequire(import.meta.url)('cutover') as { CutoverError: unknown }
  t.is(required.CutoverError, CutoverError)
})
