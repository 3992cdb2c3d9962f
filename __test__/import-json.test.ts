// Large JSON arrays, element by element: exactly the arrays that JSON.parse accepts, however they are cut into chunks.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { SourceFile } from '#dist/import/file.js'
import { Malformed, Splitter, readArray } from '#dist/import/json-array.js'
import { directory, rejection } from './support/index.js'

/** The elements of a text, split in chunks of so many bytes. */
function split(text: string | Buffer, size: number): unknown[] {
  const bytes = Buffer.from(text as string)
  const splitter = new Splitter()
  const found: unknown[] = []
  for (let at = 0; at < bytes.length; at += size) {
    // A chunk's memory is used again for the next one.
    const chunk = Buffer.from(bytes.subarray(at, at + size))
    const elements = splitter.push(chunk)
    chunk.fill(0x5d)
    for (const element of elements) found.push(JSON.parse(element.bytes.toString()))
  }
  splitter.end()
  return found
}

/** The elements of a file that holds these bytes. */
async function read(t: ExecutionContext, content: string | Uint8Array): Promise<unknown[]> {
  const path = join(directory(t), 'documents.json')
  writeFileSync(path, content)
  const file = await SourceFile.open(path)
  const found: unknown[] = []
  try {
    for await (const element of readArray(file)) found.push(element)
  } finally {
    await file.close()
  }
  return found
}

const refuses = async (t: ExecutionContext, content: string | Uint8Array): Promise<string> =>
  ((await rejection(read(t, content))) as Error).message

const texts = [
  '[]',
  ' [ \n\t\r ] \n',
  '[1]',
  '[1,2 , 3]',
  '[ "a" ,null,true,-1.5e3]',
  '[{"a":[1,{"b":"]}"}],"c":"\\"]}\\\\"},{}]',
  '["\\\\","\\\\\\"",",[","]"]',
  '[[[]],[[],[]]]',
  '["ü€😀","\\u00fc"]',
  '\ufeff[{"id":"a"}]',
]

test('an array is the same elements, wherever its chunks end', (t) => {
  for (const text of texts)
    for (let size = 1; size <= Buffer.byteLength(text); size++)
      t.deepEqual(split(text, size), JSON.parse(text.replace('\ufeff', '')), `${text} in chunks of ${size}`)
})

test('what is no array is refused at its byte, wherever its chunks end', (t) => {
  const cases: [string | Buffer, string, number][] = [
    ['', 'is empty where a JSON array should begin', 0],
    ['  \n', 'is empty where a JSON array should begin', 3],
    ['{"documents":[]}', 'does not begin with a JSON array in UTF-8', 0],
    [' null', 'does not begin with a JSON array in UTF-8', 1],
    [Buffer.from('\ufeff[]', 'utf16le'), 'does not begin with a JSON array in UTF-8', 0],
    [Buffer.from([0xef, 0xbb, 0x5b, 0x5d]), 'does not begin with a JSON array in UTF-8', 2],
    [' \ufeff[]', 'does not begin with a JSON array in UTF-8', 1],
    ['\ufeff\ufeff[]', 'does not begin with a JSON array in UTF-8', 3],
    ['[', 'ends before its JSON array does', 1],
    ['[1,', 'ends before its JSON array does', 3],
    ['["abc]', 'ends before its JSON array does', 6],
    ['["abc\\"]', 'ends before its JSON array does', 8],
    ['[{"a":1]', 'ends before its JSON array does', 8],
    ['[1] ,', 'goes on after the end of its JSON array', 4],
    ['[1][2]', 'goes on after the end of its JSON array', 3],
    ['[]\0', 'goes on after the end of its JSON array', 2],
    ['[1}]', 'has a } that nothing opened', 2],
    ['[{]}]', 'has a } that nothing opened', 3],
    [`[${'['.repeat(200)}`, 'is nested deeper than 128 levels', 129],
  ]
  for (const [text, message, offset] of cases)
    for (const size of [1, 2, 3, 1000]) {
      const error = t.throws(() => split(text, size), { instanceOf: Malformed }, String(text))
      t.is(error?.message, message)
      t.is(error?.offset, offset, String(text))
    }
})

test('an element that is no JSON is refused with its position and its byte', async (t) => {
  for (const [text, position, offset] of [
    ['[1,,2]', 1, 3],
    ['[1,]', 1, 3],
    ['[,]', 0, 1],
    ['[1 2]', 0, 1],
    ['[{"a":1},{"a" 1}]', 1, 9],
    ["[{'a':1}]", 0, 1],
    ['["a\nb"]', 0, 1],
    ['[NaN]', 0, 1],
    ['[01]', 0, 1],
    ['[{]]', 0, 1],
    ['[1,\0]', 1, 3],
  ] as const) {
    const message = await refuses(t, text)
    t.true(message.includes(`has no JSON in element ${position} (from 0), which begins at byte ${offset}: `), message)
  }
  t.regex(await refuses(t, '[1, ]'), /: it is empty$/)
  t.regex(await refuses(t, Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d])), /element 0 .* not valid/)
  t.regex(await refuses(t, Buffer.from('["\ud83d"]', 'utf8').fill(0xed, 2, 3)), /element 0 .* not valid/)
})

/** An array whose second element has so many bytes. */
const second = (length: number): string => `[1,"${'x'.repeat(length - 2)}",2]`

test('an element may be as large as a document, and no larger', async (t) => {
  const largest = 16 * 1024 * 1024
  const [, long, last] = await read(t, second(largest))
  t.is((long as string).length, largest - 2)
  t.is(last, 2)
  t.regex(await refuses(t, second(largest + 1)), /has an element of more than 16777216 bytes \(byte 3\)$/)
  t.regex(await refuses(t, `[${' '.repeat(largest + 1)}]`), /has an element of more than 16777216 bytes \(byte 1\)$/)
})

test('a file of many chunks is read in order', async (t) => {
  const documents = Array.from({ length: 20_000 }, (_, n) => ({ id: `${n}`, text: `ünïcödé 😀 ${n}`, deep: [{ n }] }))
  t.true(isDeepStrictEqual(await read(t, JSON.stringify(documents, null, 1)), documents))
})
