// The first program of the README works as printed: it compiles in strict mode, runs, and prints what the README says.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import test from 'ava'

/** The first fenced block of a language. */
function block(markdown: string, language: string): string {
  const found = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'm').exec(markdown)?.[1]
  if (found === undefined) throw new Error(`README.md has no ${language} block`)
  return found
}

const readme = readFileSync('README.md', 'utf8')
// Inside the package, so that its own name means it.
const directory = resolve('.cache/readme')

test("the README's program prints what the README says", (t) => {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  writeFileSync(`${directory}/main.ts`, block(readme, 'ts'))
  writeFileSync(
    `${directory}/tsconfig.json`,
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { rootDir: '.', outDir: '.' },
      files: ['main.ts'],
      include: [],
    }),
  )
  const run = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
  run(resolve('node_modules/typescript/bin/tsc'), '-p', '.')
  const printed = run('main.js')
  t.is(printed, block(readme, 'text'))
  // A second run finds the index that the first one made.
  t.is(run('main.js'), printed)
})

test("the README's program has at most twenty-five lines", (t) => {
  t.true(block(readme, 'ts').trimEnd().split('\n').length <= 25)
})

test('the first screen of the README has the two commands', (t) => {
  const screen = readme.split('\n').slice(0, 50).join('\n')
  t.regex(screen, /^npm run demo$/m)
  t.regex(screen, /^npm test$/m)
  t.true(screen.includes(block(readme, 'ts')))
})
