// Names the first tool that is missing, in one sentence with how to get it.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure, npm, output, root } from './process.mjs'

const numbers = (text) =>
  (/(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? '') ?? [0, 0, 0, 0]).slice(1).map((part) => Number(part ?? 0))

/** True when dotted version `have` is `want` or newer. */
export function atLeast(have, want) {
  const [a, b] = [numbers(have), numbers(want)]
  const at = a.findIndex((part, index) => part !== b[index])
  return at === -1 || a[at] > b[at]
}

/** Node and npm: what every command needs. */
export function checkNode(version = process.versions.node) {
  const major = numbers(version)[0]
  const fits = major === 20 ? atLeast(version, '20.19') : major !== 21 && atLeast(version, '22.12')
  if (!fits)
    throw new Failure(
      `Node ${version} is too old: install Node 20.19 or newer of line 20, or 22.12 or newer, from https://nodejs.org.`,
    )
  if (output(...npm('--version')) === undefined)
    throw new Failure('npm cannot be run: it comes with Node, so install Node again from https://nodejs.org.')
}

/** The Rust toolchain, for the addon and its tests; `components` are cargo subcommands such as `fmt`. */
export function checkRust(components = []) {
  const want = /^rust-version = "(.*)"$/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))?.[1] ?? '1.95'
  const get = 'install the stable toolchain with rustup from https://rustup.rs'
  for (const name of ['rustc', 'cargo']) {
    const have = output(name, ['--version'])
    if (have === undefined) throw new Failure(`${name} cannot be run: ${get}.`)
    if (!atLeast(have, want))
      throw new Failure(`${have} is older than ${want}: run \`rustup update stable\`, or ${get}.`)
  }
  for (const component of components)
    if (output('cargo', [component, '--version']) === undefined)
      throw new Failure(
        `\`cargo ${component}\` is missing: run \`rustup component add ${component === 'fmt' ? 'rustfmt' : component}\`.`,
      )
}

/** A C++17 compiler, seen to compile; on Windows the build script finds MSVC in the registry by itself. */
export function checkCompiler(command = process.env.CXX ?? 'c++') {
  if (process.platform === 'win32') return
  const directory = mkdtempSync(join(tmpdir(), 'cutover-compiler-'))
  try {
    const input = '#include <optional>\nint main() { if (std::optional<int> one{1}; one) return 0; return 1; }\n'
    const [program, ...args] = command.split(' ')
    const result = spawnSync(program, [...args, '-std=c++17', '-x', 'c++', '-', '-o', join(directory, 'one')], {
      input,
    })
    if (result.status === 0) return
    const get =
      process.platform === 'darwin' ? '`xcode-select --install`' : '`apt-get install g++` (or clang) of your system'
    throw new Failure(
      result.status === null
        ? `No C++17 compiler: \`${command}\` cannot be run; install one with ${get}, or name yours in CXX.`
        : `\`${command}\` does not compile C++17: install a newer compiler with ${get}, or name yours in CXX.`,
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
