// Completions: what each shell offers. bash is asked where it is installed, as it is nearly everywhere; fish and zsh likewise.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { main } from './support/cli.js'
import { directory } from './support/index.js'

const script = (shell: string): string =>
  spawnSync(process.execPath, [main, 'completion', shell], { encoding: 'utf8' }).stdout
const installed = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

/** Command lines, the word under the cursor last, and what is offered for it in a directory of an index and a file. */
const lines: [line: string[], offers: string[]][] = [
  [['cutover', 'sea'], ['search']],
  [
    ['cutover', 'p'],
    ['prune', 'publish'],
  ],
  [['cutover', 'search', 'books', '--li'], ['--limit']],
  [
    ['cutover', 'verify', 'books', '--depth', ''],
    ['contents', 'digests', 'sizes'],
  ],
  [['cutover', 'build', 'books', '--fields', 'f'], ['fields.json']],
  [['cutover', 'build', 'books', 'f'], ['fields.json']],
  [
    ['cutover', 'completion', ''],
    ['bash', 'fish', 'zsh'],
  ],
]

test('every command and option of the program is in every script', (t) => {
  const scripts = ['bash', 'zsh', 'fish'].map(script)
  // The page has the help of every command: cli-docs.test.ts makes sure.
  const sections = readFileSync('docs/cli.md', 'utf8').split(/^### /m).slice(1)
  t.true(sections.length >= 19)
  for (const section of sections) {
    const [command = ''] = /^\w+/.exec(section) ?? []
    const options = [...section.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm)].map(([, name = '']) => name)
    for (const text of scripts) {
      t.regex(text, new RegExp(`\\b${command}\\b`))
      for (const option of options) t.regex(text, new RegExp(`(--|-l )${option}\\b`))
    }
  }
})

test('bash offers commands, options, choices and files', (t) => {
  if (!installed('bash')) {
    t.log('bash is not installed: not asked')
    t.pass()
    return
  }
  const cwd = place(directory(t))
  for (const [words, offers] of lines) {
    const source = `eval "$script"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cutover; printf '%s\\n' "\${COMPREPLY[@]}"`
    const asked = spawnSync('bash', ['-c', source, 'bash', ...words], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, script: script('bash') },
    })
    t.is(asked.stderr, '')
    t.deepEqual(asked.stdout.trim().split('\n').toSorted(), offers, words.join(' '))
  }
})

test('fish offers commands, options, choices and files', (t) => {
  if (!installed('fish')) {
    t.log('fish is not installed: not asked')
    t.pass()
    return
  }
  const cwd = place(directory(t))
  const file = join(cwd, 'cutover.fish')
  writeFileSync(file, script('fish'))
  for (const [words, offers] of lines) {
    const asked = spawnSync('fish', ['-N', '-c', `source ${file}; complete -C '${words.join(' ')}'`], {
      cwd,
      encoding: 'utf8',
    })
    const offered = asked.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0] ?? '')
    // fish also offers what only contains the word.
    const word = words.at(-1) ?? ''
    t.deepEqual(offered.filter((offer) => offer.startsWith(word)).toSorted(), offers, words.join(' '))
  }
})

test('zsh accepts its script', (t) => {
  if (!installed('zsh')) {
    t.log('zsh is not installed: not asked')
    t.pass()
    return
  }
  const asked = spawnSync('zsh', ['-n'], { input: script('zsh'), encoding: 'utf8' })
  t.is(asked.stderr, '')
  t.is(asked.status, 0)
})

function place(cwd: string): string {
  mkdirSync(join(cwd, 'books'))
  writeFileSync(join(cwd, 'fields.json'), '{}')
  return cwd
}
