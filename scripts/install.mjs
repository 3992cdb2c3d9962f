// Installs a directory's dependencies when what is there is not what its lock file says.
import { join } from 'node:path'
import { must, npm, root } from './process.mjs'
import { read } from './stale.mjs'

/** True when npm's own record of node_modules names every package of the lock file (optional ones may be of another platform). */
export function installed(directory) {
  const [lock, record] = ['package-lock.json', 'node_modules/.package-lock.json'].map((name) =>
    read(join(directory, name)),
  )
  if (lock === undefined || record === undefined) return false
  const [wanted, there] = [lock, record].map((text) => JSON.parse(text).packages)
  const agrees = (name) =>
    there[name]?.version === wanted[name].version && there[name]?.integrity === wanted[name].integrity
  const expected = Object.keys(wanted).filter((name) => name !== '' && !wanted[name].link)
  return (
    expected.every((name) => agrees(name) || (wanted[name].optional && there[name] === undefined)) &&
    Object.keys(there).every((name) => name in wanted)
  )
}

/** Runs `npm ci` in the directory, unless it is up to date. No install script runs: .npmrc says so, and so does this. */
export async function install(directory = root) {
  if (installed(directory)) return false
  console.log(`Installing what ${join(directory, 'package-lock.json')} names.`)
  const [command, args] = npm('ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error')
  await must(command, args, { cwd: directory })
  return true
}
