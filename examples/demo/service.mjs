// The main thread's side of the service.
import { Worker } from 'node:worker_threads'

export class Service {
  #worker
  #version
  #waiting = new Set()
  #report

  /** @param {{ path: string, asked: { text: string, vector: Float32Array }[], perSecond: number }} data */
  constructor(data) {
    this.#worker = new Worker(new URL('server.mjs', import.meta.url), { workerData: data })
    this.#report = new Promise((done, fail) => {
      this.#worker.on('error', fail)
      this.#worker.on('message', (message) => {
        if (message.samples) done(message)
        else this.#seen(message.sees)
      })
    })
    // A failure is thrown where the report is awaited, and by everyone who waits for a version.
    this.#report.catch(() => {})
  }

  #seen(version) {
    this.#version = version
    for (const one of this.#waiting) if (one.version === version) one.done()
  }

  /** Resolves once an answer came from the version. */
  async sees(version) {
    if (this.#version === version) return
    await Promise.race([new Promise((done) => this.#waiting.add({ version, done })), this.#report])
  }

  /** The version of the newest answer. */
  get version() {
    return this.#version
  }

  /** Ends the service; resolves with its samples and everything that was wrong. */
  stop() {
    this.#worker.postMessage('stop')
    return this.#report
  }
}
