// `npm run fuzz [seconds] [target...]`: each fuzz target for so long (default 60), under AddressSanitizer, from its seeds and what earlier
// runs found. It needs nightly Rust and cargo-fuzz; an input that breaks a target stays in fuzz/artifacts.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, isMain, main, root, watch } from './process.mjs'

const targets = ['field', 'hnswlib']

if (isMain(import.meta.url))
  await main(async (wanted) => {
    const seconds = Number(wanted[0] ?? 60)
    if (!(seconds > 0)) throw new Failure(`The first argument is how many seconds each target runs, got ${wanted[0]}.`)
    if (spawnSync('cargo', ['+nightly', 'fuzz', '--version'], { stdio: 'ignore' }).status !== 0)
      throw new Failure(
        'Fuzzing needs nightly Rust and cargo-fuzz: rustup toolchain install nightly; cargo install cargo-fuzz.',
      )
    const lines = []
    let failed = 0
    for (const target of wanted.length > 1 ? wanted.slice(1) : targets) {
      console.log(`\n== ${target}\n`)
      const [corpus, seeds] = ['corpus', 'seeds'].map((name) => join(root, 'fuzz', name, target))
      mkdirSync(corpus, { recursive: true })
      const fuzz = ['+nightly', 'fuzz', 'run', '--fuzz-dir', join(root, 'fuzz'), target, corpus, seeds, '--']
      const limits = ['-timeout=30', '-rss_limit_mb=2048', '-max_len=16384', '-print_final_stats=1']
      const { code, text } = await watch('cargo', [...fuzz, ...limits, `-max_total_time=${seconds}`])
      const executions = /stat::number_of_executed_units:\s*(\d+)/.exec(text)?.[1] ?? 'no'
      lines.push(`${target.padEnd(10)} ${executions} executions, ${code === 0 ? 'nothing found' : 'FAILED'}`)
      if (code !== 0) failed++
    }
    console.log(`\n${lines.join('\n')}`)
    return failed === 0 ? 0 : 1
  })
