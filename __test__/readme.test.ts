// The programs of the README work as printed: they compile in strict mode and run, and the first prints what the README says.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import test from 'ava'

/** The fenced blocks of a language. */
function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1] ?? '',
  )
}

/** The first of them. */
function block(markdown: string, language: string): string {
  const found = blocks(markdown, language)[0]
  if (found === undefined) throw new Error(`README.md has no ${language} block`)
  return found
}

const readme = readFileSync('README.md', 'utf8')
/** Compiles a program inside the package, so that the package's own name means it, and answers a function that runs it. */
function compiled(name: string, program: string): () => string {
  const directory = resolve('.cache/readme', name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  writeFileSync(`${directory}/main.ts`, program)
  writeFileSync(
    `${directory}/tsconfig.json`,
    JSON.stringify({
      extends: '../../../tsconfig.json',
      compilerOptions: { rootDir: '.', outDir: '.' },
      files: ['main.ts'],
      include: [],
    }),
  )
  const run = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
  run(resolve('node_modules/typescript/bin/tsc'), '-p', '.')
  return () => run('main.js')
}

test("the README's program prints what the README says", (t) => {
  const run = compiled('first', block(readme, 'ts'))
  const printed = run()
  t.is(printed, block(readme, 'text'))
  // A second run finds the index that the first one made.
  t.is(run(), printed)
})

test("the README's other programs run, twice too", (t) => {
  const [, asking, embedding, store, atomic, ...more] = blocks(readme, 'ts')
  t.deepEqual(more, [])
  for (const [name, program, prints] of [
    ['asking', asking, "src/http/parse.ts [ { value: 'net', count: 1 } ]\n3\n"],
    ['embedding', embedding, 'a\nb\n'],
    ['store', store, "[ 'sea' ]\n"],
    ['atomic', atomic, ''],
  ] as const) {
    const run = compiled(name, program ?? '')
    t.is(run(), prints)
    t.is(run(), prints)
  }
  t.is(readFileSync('.cache/readme/atomic/settings.json', 'utf8'), '{"theme":"dark"}')
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
