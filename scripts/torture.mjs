// `npm run torture [part...]`: the whole fault campaign, or a part of it. It takes tens of minutes; what cannot be run here is named.
import { join } from 'node:path'
import { isMain, main, must, root, watch } from './process.mjs'
import { checkCompiler, checkRust } from './tools.mjs'

const parts = ['kill', 'fail', 'strace', 'model', 'full-disk', 'power', 'processes', 'hostile', 'vectors']

if (isMain(import.meta.url))
  await main(async (wanted) => {
    checkRust()
    checkCompiler()
    await must('cargo', ['build', '--release', '-p', 'cutover-torture'])
    const lines = []
    let failed = 0
    for (const part of wanted.length > 0 ? wanted : parts) {
      console.log(`\n== ${part}\n`)
      const { code, text } = await watch(join(root, 'target/release/cutover-torture'), [part])
      lines.push(`${part.padEnd(10)} ${text.trimEnd().split('\n').at(-1)}`)
      if (code !== 0) failed++
    }
    console.log(`\n${lines.join('\n')}`)
    return failed === 0 ? 0 : 1
  })
