// `npm run fuzz [seconds] [target...]`: each fuzz target for so long (default 60), under AddressSanitizer, from its seeds and what earlier
// runs found. An input that breaks a target stays in fuzz/artifacts/TARGET; the program whose path is printed runs it again.
//
// The flags are those of cargo-fuzz. The stable compiler has all of them, behind the switch that unlocks what is unstable: nothing is
// to be installed, and it is the compiler of the release that is tried.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, isMain, main, must, output, root, watch } from './process.mjs'
import { checkCompiler, checkRust } from './tools.mjs'

const targets = ['field', 'hnswlib']
const coverage = ['level=4', 'inline-8bit-counters', 'pc-table', 'trace-compares']
const flags = [
  '-Zsanitizer=address',
  '-Cpasses=sancov-module',
  ...coverage.map((flag) => `-Cllvm-args=-sanitizer-coverage-${flag}`),
  '-Cllvm-args=-simplifycfg-branch-fold-threshold=0',
  '-Ccodegen-units=1',
  '-Cdebug-assertions',
  '--cfg=fuzzing',
]

if (isMain(import.meta.url))
  await main(async (wanted) => {
    const seconds = Number(wanted[0] ?? 60)
    if (!(seconds > 0)) throw new Failure(`The first argument is how many seconds each target runs, got ${wanted[0]}.`)
    checkRust()
    checkCompiler()
    const host = /^host: (.*)$/m.exec(output('rustc', ['-vV']) ?? '')?.[1]
    if (!/^x86_64-.*-linux-gnu$/.test(host)) throw new Failure(`Fuzzing is set up for x86-64 Linux, not for ${host}.`)
    const env = { ...process.env, RUSTC_BOOTSTRAP: '1', RUSTFLAGS: flags.join(' ') }
    const place = ['--target', host, '--target-dir', join(root, 'fuzz/target')]
    const manifest = ['--manifest-path', join(root, 'fuzz/Cargo.toml')]
    await must('cargo', ['build', '--release', '--locked', ...manifest, ...place], { env })
    const lines = []
    let failed = 0
    for (const target of wanted.length > 1 ? wanted.slice(1) : targets) {
      const program = join(root, 'fuzz/target', host, 'release', target)
      console.log(`\n== ${target}: ${program}\n`)
      const [corpus, seeds, artifacts] = ['corpus', 'seeds', 'artifacts'].map((name) =>
        join(root, 'fuzz', name, target),
      )
      for (const folder of [corpus, artifacts]) mkdirSync(folder, { recursive: true })
      const limits = ['-timeout=30', '-rss_limit_mb=2048', '-max_len=16384', '-print_final_stats=1']
      const time = [`-max_total_time=${seconds}`, `-artifact_prefix=${artifacts}/`]
      const { code, text } = await watch(program, [...limits, ...time, corpus, seeds])
      const executions = /stat::number_of_executed_units:\s*(\d+)/.exec(text)?.[1] ?? 'no'
      lines.push(`${target.padEnd(10)} ${executions} executions, ${code === 0 ? 'nothing found' : 'FAILED'}`)
      if (code !== 0) failed++
    }
    console.log(`\n${lines.join('\n')}`)
    return failed === 0 ? 0 : 1
  })
