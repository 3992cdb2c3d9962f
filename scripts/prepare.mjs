// What every command does first, and all that `npm run build` does: look for the tools, install what is missing,
// build what is stale.
import { build } from './build.mjs'
import { install } from './install.mjs'
import { isMain, main } from './process.mjs'
import { checkNode, checkRust } from './tools.mjs'

/**
 * Makes the package ready to be used. `components` are cargo subcommands that the caller runs itself.
 * Resolves with whether anything was installed or built.
 */
export async function prepare({ components } = {}) {
  checkNode()
  if (components) checkRust(components)
  const news = await install()
  return (await build()) || news
}

if (isMain(import.meta.url))
  await main(async () => {
    if (!(await prepare())) console.log('Everything is up to date.')
  })
