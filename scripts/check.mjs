// `npm run check`: everything that is checked without running the package. All checks run; the failed ones are named.
// TypeScript is checked by the build, which comes first.
import { checkGenerated } from './check-generated.mjs'
import { checkLayers } from './check-layers.mjs'
import { checkNotice } from './notice.mjs'
import { prepare } from './prepare.mjs'
import { main, root, tool, watch } from './process.mjs'
import { checkCompiler } from './tools.mjs'

const program = (command, args) => async () =>
  (await watch(command, args)).code === 0 ? [] : [`\`${[command, ...args].join(' ')}\` failed.`]

const checks = {
  'Rust format': program('cargo', ['fmt', '--all', '--check']),
  'other formats': program(...tool('oxfmt/bin/oxfmt', '--check', '.')),
  oxlint: program(...tool('oxlint/bin/oxlint', '--deny-warnings')),
  layers: () => checkLayers(root),
  'generated files': checkGenerated,
  notice: checkNotice,
  clippy: program('cargo', ['clippy', '--workspace', '--all-targets', '--', '-D', 'warnings']),
}

await main(async () => {
  await prepare({ components: ['fmt', 'clippy'] })
  checkCompiler()
  const failed = []
  for (const [name, check] of Object.entries(checks)) {
    console.log(`\n== ${name}`)
    const problems = await check()
    for (const problem of problems) console.error(problem)
    if (problems.length > 0) failed.push(name)
  }
  const passed = Object.keys(checks).length - failed.length
  console.log(
    `\n${failed.length > 0 ? `Failed: ${failed.join(', ')}\n` : ''}Checks: ${passed} passed, ${failed.length} failed`,
  )
  return failed.length === 0 ? 0 : 1
})
