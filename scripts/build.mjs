// Builds the release addon and the JavaScript, each only when it is stale.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { must, root, tool } from './process.mjs'
import { files, unlessFresh } from './stale.mjs'
import { checkRust } from './tools.mjs'

const addon = {
  // Integration tests of the crates are not part of the addon.
  inputs: () => [
    'Cargo.toml',
    'Cargo.lock',
    'build.rs',
    'package.json',
    ...files('crates', (name) => !/^crates[\\/][^\\/]+[\\/]tests[\\/]/.test(name)),
  ],
  outputs: () => readdirSync(root).filter((name) => /^(index\.(js|d\.ts)|cutover\..+\.node)$/.test(name)),
}
const javascript = {
  inputs: () => ['tsconfig.json', 'index.d.ts', 'node_modules/typescript/package.json', ...files('src')],
  outputs: () => files('dist'),
}

/** Builds what is stale; names a missing toolchain only when it is needed. */
export async function build() {
  const native = await unlessFresh('addon', addon, async () => {
    checkRust()
    console.log('Building the addon (some minutes the first time).')
    await must(...tool('@napi-rs/cli/dist/cli.js', 'build', '--platform', '--release', '--esm'))
  })
  const script = await unlessFresh('dist', javascript, async () => {
    console.log('Building the JavaScript.')
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    await must(...tool('typescript/bin/tsc', '-p', '.'))
  })
  return native || script
}
