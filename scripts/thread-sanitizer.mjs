// Runs the tests of what build threads share under ThreadSanitizer: `node scripts/thread-sanitizer.mjs`.
// As in fuzz.mjs, the stable compiler does it behind the switch that unlocks what is unstable.
//
// The standard library is not compiled for it, and need not be: threads share links and counts, all atomic, and nothing else.
import { join } from 'node:path'
import { isMain, main, output, root, watch } from './process.mjs'
import { checkRust } from './tools.mjs'

if (isMain(import.meta.url))
  await main(async () => {
    checkRust()
    const host = /^host: (.*)$/m.exec(output('rustc', ['-vV']) ?? '')?.[1]
    process.env.RUSTC_BOOTSTRAP = '1'
    process.env.RUSTFLAGS = '-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer'
    process.env.TSAN_OPTIONS = `suppressions=${join(root, 'scripts/thread-sanitizer.supp')}`
    const tests = ['build::tests::threads', '--test-threads=1']
    const where = ['--target', host, '--target-dir', join(root, 'target/thread-sanitizer')]
    const { code } = await watch('cargo', ['test', '-p', 'cutover-vectors', '--lib', ...where, '--', ...tests])
    return code
  })
