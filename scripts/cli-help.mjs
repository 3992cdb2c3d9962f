// Writes each command's help into its block of docs/cli.md, after a change of the commands. Their order and the prose stay.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './process.mjs'

const path = join(root, 'docs/cli.md')
const env = { ...process.env, COLUMNS: '' }
const help = (name) =>
  spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), 'help', name], { encoding: 'utf8', env }).stdout
const text = readFileSync(path, 'utf8')
writeFileSync(
  path,
  text.replaceAll(
    /^(### (\w+)\n\n```text\n)[\s\S]*?^```$/gm,
    (_, head, name) => `${head}${help(name).trimEnd()}\n\`\`\``,
  ),
)
