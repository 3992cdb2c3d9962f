// The layers check can fail: each rule is broken in a small work tree of its own.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'

/** Runs the check over a tree of these files; resolves with its exit code and what it said. */
function check(tree: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'cutover-layers-'))
  try {
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    const { status, stderr } = spawnSync(process.execPath, ['scripts/check-layers.mjs', root], { encoding: 'utf8' })
    return { status, stderr }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const refused: [claim: string, tree: Record<string, string>, says: RegExp][] = [
  [
    'a crate must not depend on one above it',
    { 'crates/durable/Cargo.toml': '[dependencies]\ncutover-store = { workspace = true }\n' },
    /durable must not depend on store/,
  ],
  [
    'a development dependency points down too',
    { 'crates/store/Cargo.toml': '[dev-dependencies.cutover-index]\nworkspace = true\n' },
    /store must not depend on index/,
  ],
  [
    'a crate must not use its neighbour',
    { 'crates/text/src/lib.rs': 'use cutover_vectors::Metric;\n' },
    /text must not use vectors/,
  ],
  ['napi stays in the addon', { 'crates/index/src/lib.rs': 'use napi::Env;\n' }, /napi is used outside its home/],
  [
    'tantivy stays in the text crate',
    { 'crates/index/Cargo.toml': '[dependencies]\ntantivy = "0.27"\n' },
    /tantivy belongs in text only/,
  ],
  [
    'fs2 stays in one file',
    { 'crates/durable/src/fs.rs': 'fn lock(f: &File) { fs2::FileExt::unlock(f); }\n' },
    /fs2 is used outside its home/,
  ],
  [
    'unsafe stays at home',
    { 'crates/store/src/lib.rs': 'fn f() { unsafe { g() } }\n' },
    /unsafe is used outside its homes/,
  ],
  [
    'the unsafe lint is switched off at home only',
    { 'crates/text/src/lib.rs': '#![expect(unsafe_code, reason = "speed")]\n' },
    /unsafe is used outside its homes/,
  ],
  ['a long file is refused', { 'src/long.ts': 'export {}\n'.repeat(401) }, /401 lines/],
  [
    'one module reaches the addon',
    { 'src/open.ts': "import { NativeIndex } from '../index.js'\n" },
    /only src\/native\.ts/,
  ],
  [
    'the library does without the parser of the command line',
    { 'src/open.ts': "import { Command } from 'commander'\n" },
    /imports commander/,
  ],
  ['the package has no other dependencies', { 'src/cli/main.ts': "import { z } from 'zod'\n" }, /imports zod/],
  ['the library has no dependencies', { 'src/open.ts': "import { z } from 'zod'\n" }, /imports zod/],
  [
    'modules do not import each other in a circle',
    { 'src/a.ts': "import { b } from './b.js'\n", 'src/b.ts': "export { a } from './a.js'\n" },
    /src\/a\.ts -> src\/b\.ts -> src\/a\.ts/,
  ],
]

for (const [claim, tree, says] of refused)
  test(claim, (t) => {
    const { status, stderr } = check(tree)
    t.is(status, 1)
    t.regex(stderr, says)
  })

test('what goes down, and prose about what must not, is accepted', (t) => {
  const { status, stderr } = check({
    'crates/index/Cargo.toml': '[dependencies]\ncutover-text = { workspace = true }\n',
    'crates/index/src/lib.rs':
      '//! No unsafe { } here, and no tantivy::Index.\nuse cutover_text::TextIndex;\nconst SAYS: &str = "unsafe { }";\nconst QUOTE: char = \'"\';\n',
    'crates/durable/src/lock.rs': 'use fs2::FileExt;\n',
    'crates/durable/src/mmap.rs': '#![expect(unsafe_code, reason = "the map")]\nfn f() { unsafe { g() } }\n',
    'src/native.ts': "import { NativeIndex } from '../index.js'\nimport { read } from './read.js'\n",
    'src/read.ts': "import type { Native } from './native.js'\nimport { readFile } from 'node:fs'\n",
  })
  t.is(stderr, '')
  t.is(status, 0)
})
