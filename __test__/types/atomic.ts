import type { CutoverError as Main } from 'cutover'
// What must and must not compile about 'cutover/atomic'.
import { isCutoverError, rebuildInPlace, replaceFile, replaceWith, withLock } from 'cutover/atomic'
import type { CutoverError, ErrorCode } from 'cutover/atomic'
import { claim } from './support.js'
import type { Same } from './support.js'

declare const chunks: AsyncIterable<Uint8Array>
claim<Same<CutoverError, Main>>()

export async function replacing(): Promise<void> {
  await replaceFile('file', 'text')
  await replaceFile('file', new Uint8Array(1))
  await replaceFile('file', chunks)
  // @ts-expect-error neither text nor bytes
  await replaceFile('file', { text: 'text' })
  await replaceWith('target', 'staged', { allowGap: true })
  // @ts-expect-error a misspelt option
  await replaceWith('target', 'staged', { gap: true })
}

export async function locking(error: unknown): Promise<void> {
  const now = await withLock('x.lock', () => 1)
  const later = await withLock('x.lock', async (signal) => signal.aborted, {
    timeoutMs: 0,
    signal: AbortSignal.timeout(1),
  })
  claim<Same<typeof now, number>>()
  claim<Same<typeof later, boolean>>()
  // @ts-expect-error the work comes before the options
  await withLock('x.lock', { timeoutMs: 0 })
  if (isCutoverError(error, 'CUTOVER_LOCKED')) claim<Same<typeof error.code, ErrorCode>>()
}

export async function rebuilding(): Promise<void> {
  await rebuildInPlace('directory', (staging) => ({ [staging]: 'target' }), { lockTimeoutMs: 0 })
  await rebuildInPlace('directory', async () => ({ staged: 'target' }))
  // @ts-expect-error a target is a path
  await rebuildInPlace('directory', () => ({ staged: 1 }))
}
