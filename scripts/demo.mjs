import { spawnSync } from 'node:child_process'
// `npm run demo`: prepares the package and the demo's own dependencies, then runs the demo.
import { join } from 'node:path'
import { install } from './install.mjs'
import { prepare } from './prepare.mjs'
import { main, root } from './process.mjs'

const demo = join(root, 'examples/demo')

await main(async (args) => {
  await prepare()
  await install(demo)
  return spawnSync(process.execPath, ['main.mjs', ...args], { cwd: demo, stdio: 'inherit' }).status ?? 1
})
