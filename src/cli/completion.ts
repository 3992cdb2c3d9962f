// Completions for shells, made from the program's own commands and options.
import type { Argument, Command, Option } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What a value is completed with. */
type Kind = 'directory' | 'file' | 'none' | readonly string[]

const kindOf = (choices: readonly string[] | undefined, name: string): Kind => {
  if (choices) return choices
  if (name === 'dir') return 'directory'
  return /file|path|from|command/.test(name) ? 'file' : 'none'
}
const valueName = ({ flags }: Option): string => /<([^>]+)>/.exec(flags)?.[1] ?? ''
const optionKind = (option: Option): Kind => kindOf(option.argChoices, valueName(option))
const argumentKind = (argument: Argument): Kind => kindOf(argument.argChoices, argument.name())

/** A command as the scripts need it. */
interface Described {
  readonly name: string
  readonly description: string
  readonly options: readonly { flag: string; description: string; value: Kind | undefined }[]
  readonly operands: readonly { kind: Kind; variadic: boolean }[]
}

function describe(root: Command): Described[] {
  const help = root.createHelp()
  return help.visibleCommands(root).map((command) => ({
    name: command.name(),
    description: help.subcommandDescription(command),
    options: help.visibleOptions(command).map((option) => ({
      flag: option.long ?? option.short ?? '',
      description: option.description,
      value: option.required || option.optional ? optionKind(option) : undefined,
    })),
    operands: command.registeredArguments.map((argument) => ({
      kind: argumentKind(argument),
      variadic: argument.variadic,
    })),
  }))
}

/** The script of a shell. */
export function completion(root: Command, shell: Shell): string {
  const commands = describe(root)
  return { bash, zsh, fish }[shell](commands)
}

/** A word for a shell, in single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

const bashGenerator = (kind: Kind): string => {
  if (kind === 'directory') return 'compgen -d -- "$word"'
  if (kind === 'file') return 'compgen -f -- "$word"'
  return kind === 'none' ? ':' : `compgen -W ${quoted(kind.join(' '))} -- "$word"`
}

function bash(commands: readonly Described[]): string {
  const cases = commands.map(({ name, options, operands }) => {
    const values = options.filter(({ value }) => value !== undefined)
    const byOption = values.map(({ flag, value = 'none' }) => `        ${flag}) words=$(${bashGenerator(value)}) ;;`)
    const byPlace = operands.map(
      ({ kind, variadic }, at) => `        ${variadic ? '*' : at}) words=$(${bashGenerator(kind)}) ;;`,
    )
    return `    ${name})
      flags=${quoted(options.map(({ flag }) => flag).join(' '))}
      takes=${quoted(` ${values.map(({ flag }) => flag).join(' ')} `)}
      _cutover_place
      case "$option" in
${byOption.join('\n')}${byOption.length > 0 ? '\n' : ''}        '') case "$word" in -*) words=$(compgen -W "$flags" -- "$word") ;; *) case "$place" in
${byPlace.join('\n')}${byPlace.length > 0 ? '\n' : ''}        esac ;; esac ;;
      esac ;;`
  })
  return `# bash completion of cutover. Install: eval "$(cutover completion bash)"
# Sets option to the option whose value is being written, else place to the number of the argument.
_cutover_place() {
  local at seen
  option='' place=0
  for ((at = 2; at < COMP_CWORD; at++)); do
    seen=\${COMP_WORDS[at]}
    if [[ -n $option ]]; then option=''
    elif [[ $seen == -* && $takes == *" $seen "* ]]; then option=$seen
    elif [[ $seen != -* ]]; then ((place++)); fi
  done
}
_cutover() {
  local word=\${COMP_WORDS[COMP_CWORD]} words='' flags takes option place
  if ((COMP_CWORD == 1)); then
    words=$(compgen -W ${quoted([...commands.map(({ name }) => name), '--help', '--version'].join(' '))} -- "$word")
  else
    case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    esac
  fi
  local IFS=$'\\n'
  COMPREPLY=($words)
}
complete -o filenames -F _cutover cutover
`
}

/** Text inside a specification of _arguments, where colons and brackets mean something. */
const zshText = (text: string): string => text.replaceAll(/[\\[\]:]/g, String.raw`\$&`)

const zshAction = (kind: Kind): string => {
  if (kind === 'directory') return '_files -/'
  if (kind === 'file') return '_files'
  return kind === 'none' ? ' ' : `(${kind.join(' ')})`
}

function zsh(commands: readonly Described[]): string {
  const cases = commands.map(({ name, options, operands }) => {
    const specs = [
      ...options.map(({ flag, description, value }) =>
        quoted(`*${flag}[${zshText(description)}]${value === undefined ? '' : `:value:${zshAction(value)}`}`),
      ),
      ...operands.map(({ kind, variadic }) => quoted(`${variadic ? '*' : ''}:argument:${zshAction(kind)}`)),
    ]
    return `    ${name}) _arguments -s ${specs.join(' \\\n      ')} ;;`
  })
  const list = commands.map(({ name, description }) => `    ${quoted(`${name}:${zshText(description)}`)}`)
  return `#compdef cutover
# zsh completion of cutover. Install: cutover completion zsh > "\${fpath[1]}/_cutover"
_cutover() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  words=("\${(@)words[2,-1]}")
  ((CURRENT--))
  case $command in
${cases.join('\n')}
  esac
}
if [[ \${funcstack[1]} == _cutover ]]; then _cutover "$@"; else compdef _cutover cutover; fi
`
}

function fish(commands: readonly Described[]): string {
  const lines = commands.flatMap(({ name, description, options, operands }) => {
    const within = `-n '__fish_seen_subcommand_from ${name}'`
    const [choices] = operands.flatMap(({ kind }) => (typeof kind === 'string' ? [] : [kind]))
    const paths = operands.some(({ kind }) => kind === 'file')
    const operand = choices ? quoted(choices.join(' ')) : paths ? '' : quoted('(__fish_complete_directories)')
    return [
      `complete -c cutover -f -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
      operand === '' ? `complete -c cutover -F ${within}` : `complete -c cutover -f ${within} -a ${operand}`,
      ...options.map(({ flag, description: text, value }) => {
        const long = `complete -c cutover ${within} -l ${flag.replace(/^--/, '')} -d ${quoted(text)}`
        if (value === undefined) return long
        if (value === 'directory') return `${long} -x -a ${quoted('(__fish_complete_directories)')}`
        if (value === 'file') return `${long} -r`
        return value === 'none' ? `${long} -x` : `${long} -x -a ${quoted(value.join(' '))}`
      }),
    ]
  })
  return `# fish completion of cutover. Install: cutover completion fish > ~/.config/fish/completions/cutover.fish
complete -c cutover -f
${lines.join('\n')}
`
}
