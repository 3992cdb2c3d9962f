// Starts the third rebuild in another process and kills it half-way.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Resolves with whether the process died by our SIGKILL, and not earlier of itself. */
export function killHalfWay(path) {
  const child = fork(fileURLToPath(new URL('doomed.mjs', import.meta.url)), [path])
  child.on('message', ({ phase, share }) => {
    if (phase !== 'waiting' && (phase !== 'reading' || share >= 0.5)) child.kill('SIGKILL')
  })
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('exit', (_, signal) => done(signal === 'SIGKILL'))
  })
}
