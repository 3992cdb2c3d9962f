#!/usr/bin/env node
// `cutover`, the command line.
import { main } from './program.js'

// Who reads our output may stop before its end (`| head`): then there is nobody left to tell anything.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const exit = await main(process.argv.slice(2))
// A source that was interrupted, or a stream that nobody ends, must not keep the process alive. What was written is written first.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))))
process.exit(exit)
