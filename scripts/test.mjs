// `npm test`: prepares, then runs every test; `npm test -- rust|package|types` runs a part.
// The last line is the sum over the parts: `N passed, N failed`.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { prepare } from './prepare.mjs'
import { Failure, main, must, root, tool, watch } from './process.mjs'
import { files } from './stale.mjs'
import { checkCompiler } from './tools.mjs'

const sum = (text, pattern) => [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0)

/** A part that failed without a failed test (a crash, a build error) counts as one failure. */
const result = (code, passed, failed) => ({ passed, failed: code === 0 ? failed : Math.max(failed, 1) })

const parts = {
  async rust() {
    checkCompiler()
    const locked = process.env.CI ? ['--locked'] : []
    const { code, text } = await watch('cargo', ['test', '--workspace', '--no-fail-fast', ...locked])
    return result(code, sum(text, /^test result: .*? (\d+) passed/gm), sum(text, /^test result: .*? (\d+) failed/gm))
  },
  async package() {
    rmSync(join(root, '.cache/test'), { recursive: true, force: true })
    await must(...tool('typescript/bin/tsc', '-p', '__test__'))
    const [command, args] = tool('ava/entrypoints/cli.mjs', '--tap')
    const { code, text } = await watch(command, args)
    return result(code, sum(text, /^# pass (\d+)$/gm), sum(text, /^# fail (\d+)$/gm))
  },
  async types() {
    const all = files('__test__/types', (name) => name.endsWith('.ts'))
    const { code, text } = await watch(...tool('typescript/bin/tsc', '-p', '__test__/types', '--pretty', 'false'))
    const failed = new Set([...text.matchAll(/^(\S+\.ts)\(\d+,\d+\): error/gm)].map((match) => match[1])).size
    return result(code, Math.max(all.length - failed, 0), failed)
  },
}

await main(async (names) => {
  const chosen = names.length > 0 ? names : Object.keys(parts)
  const unknown = chosen.find((name) => !(name in parts))
  if (unknown) throw new Failure(`There is no part "${unknown}": the parts are ${Object.keys(parts).join(', ')}.`)
  await prepare({ components: [] })

  const lines = []
  const total = { passed: 0, failed: 0 }
  for (const name of chosen) {
    console.log(`\n== ${name}`)
    const { passed, failed } = await parts[name]().catch((error) => {
      console.error(error instanceof Failure ? error.message : error)
      return { passed: 0, failed: 1 }
    })
    lines.push(`${name.padEnd(8)} ${passed} passed, ${failed} failed`)
    total.passed += passed
    total.failed += failed
  }
  console.log(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`)
  return total.failed === 0 && total.passed > 0 ? 0 : 1
})
