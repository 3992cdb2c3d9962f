// Runs the tests of what build threads share under ThreadSanitizer: `node scripts/thread-sanitizer.mjs`. Needs a nightly Rust.
//
// The standard library is not compiled for it, and need not be: threads share links and counts, all atomic, and nothing else.
import { join } from 'node:path'
import { Failure, isMain, main, output, root, watch } from './process.mjs'

if (isMain(import.meta.url))
  await main(async () => {
    const host = /^host: (.*)$/m.exec(output('rustc', ['+nightly', '-vV']) ?? '')?.[1]
    if (!host) throw new Failure('There is no nightly Rust: run `rustup toolchain install nightly`.')
    process.env.RUSTFLAGS = '-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer'
    process.env.TSAN_OPTIONS = `suppressions=${join(root, 'scripts/thread-sanitizer.supp')}`
    const tests = ['build::tests::threads', '--test-threads=1']
    const where = ['--target', host, '--target-dir', join(root, 'target/thread-sanitizer')]
    const { code } = await watch('cargo', [
      '+nightly',
      'test',
      '-p',
      'cutover-vectors',
      '--lib',
      ...where,
      '--',
      ...tests,
    ])
    return code
  })
