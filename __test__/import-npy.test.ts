// NumPy's array files: what is read, and that everything else is refused by name.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { openNpy } from '#dist/import/npy.js'
import { halfOf, npy, rowsAs } from './support/import.js'
import { directory, refused } from './support/index.js'

function file(t: ExecutionContext, bytes: Uint8Array): string {
  const path = join(directory(t), 'embeddings.npy')
  writeFileSync(path, bytes)
  return path
}

/** The shape and the rows of a file. */
async function read(t: ExecutionContext, bytes: Uint8Array): Promise<[number, number, number[][]]> {
  const array = await openNpy(file(t, bytes))
  const found: number[][] = []
  for await (const row of array.rows()) found.push([...row])
  await array.close()
  return [array.header.rows, array.header.dimensions, found]
}

const refuses = async (t: ExecutionContext, bytes: Uint8Array): Promise<string> =>
  (await refused(t, 'CUTOVER_SOURCE', openNpy(file(t, bytes)))).message
const data = Buffer.alloc(24)
const shape = '(2, 3)'

for (const descr of ['<f2', '<f4', '<f8'] as const)
  test(`rows of ${descr} are read as they are`, async (t) => {
    const rows = [
      [1, -2, 0.5],
      [0.25, 65504, -0],
      [1.5, 3, 1024],
    ]
    t.deepEqual(await read(t, rowsAs(descr, rows)), [3, 3, rows])
  })

test('every half-precision number has the value that IEEE 754 gives it', async (t) => {
  const bits = Uint16Array.from({ length: 1 << 16 }, (_, at) => at)
  const [, , rows] = await read(t, npy(Buffer.from(bits.buffer), { descr: "'<f2'", shape: '(64, 1024)' }))
  const values = rows.flat()
  // The smallest, the largest below the normal ones, the first normal one, the largest, and what is none.
  const known = { 0x0001: 2 ** -24, 0x03ff: 1023 * 2 ** -24, 0x0400: 2 ** -14, 0x7bff: 65504, 0x7c00: Infinity }
  for (const [at, value] of Object.entries(known)) {
    t.is(values[Number(at)], value)
    t.is(values[Number(at) | 0x8000], -value)
  }
  t.true(Object.is(values[0x8000], -0) && values.slice(0x7c01, 0x8000).every(Number.isNaN))
  // The other way round, by an independent path over float32's bits.
  for (let at = 0x0400; at < 0x7c00; at++) if (halfOf(values[at] ?? 0) !== at) t.fail(`${at}`)
})

test('blocks end at rows: a file of many blocks is the same rows', async (t) => {
  const dimensions = 4096
  const floats = Float32Array.from({ length: dimensions * 50 }, (_, at) => at)
  const bytes = npy(Buffer.from(floats.buffer), { shape: `(50, ${dimensions})` })
  const [rows, , found] = await read(t, bytes)
  t.is(rows, 50)
  t.true(found.flat().every((value, at) => value === at))
})

test('every version of the header and every way to write its dictionary is read', async (t) => {
  for (const version of [1, 2, 3] as const) t.like(await read(t, npy(data, { shape, version })), [2, 3])
  for (const text of [
    "{'descr':'<f4','fortran_order':False,'shape':(2,3)}",
    '{"shape": (2, 3,), "descr": "<f4", "fortran_order": False}',
    "{'fortran_order': False, 'shape': ( 2 ,3 ), 'descr': '<f4', }",
  ])
    t.like(await read(t, npy(data, { text })), [2, 3], text)
  t.deepEqual(await read(t, npy(Buffer.alloc(0))), [0, 3, []])
})

test('Fortran order is read where it is no other order, and refused elsewhere', async (t) => {
  const order = 'True'
  t.like(await read(t, npy(data, { shape: '(1, 6)', order })), [1, 6])
  t.like(await read(t, npy(data, { shape: '(6, 1)', order })), [6, 1])
  t.regex(await refuses(t, npy(data, { shape, order })), /Fortran order .*ascontiguousarray/)
})

test('a type of number that is not read is refused by its name', async (t) => {
  const cases: [string, RegExp][] = [
    ["'>f4'", /'>f4', which is big-endian/],
    ["'|O'", /'\|O', which is Python objects/],
    ["'<i8'", /'<i8', which is not float16, float32 or float64/],
    ["'|u1'", /not float16/],
    ["'<c8'", /not float16/],
    ["'f4'", /not float16/],
    ["'<f16'", /not float16/],
    ["'__proto__'", /not float16/],
    ["'constructor'", /not float16/],
    ["[('x', '<f4'), ('y', '<f4')]", /structured/],
    ["('<f4', (3,))", /structured/],
    ['float32', /expected a dtype/],
  ]
  for (const [descr, message] of cases) t.regex(await refuses(t, npy(data, { descr, shape })), message)
})

test('a shape that holds no vectors is refused by what it is', async (t) => {
  for (const [wrong, message] of [
    ['()', /shape \(\): it must be \(documents, dimensions\)/],
    ['(6,)', /shape \(6,\): it must be/],
    ['(6)', /shape \(6,\): it must be/],
    ['(1, 2, 3)', /shape \(1, 2, 3\): it must be/],
    ['(6, 0)', /dimensions must be from 1 to 4096/],
    ['(1, 4097)', /dimensions must be from 1 to 4096/],
    ['(-2, 3)', /expected a whole number/],
    ['(2.0, 3)', /expected a comma/],
    ['(2L, 3)', /expected a comma/],
    ['(,)', /expected a whole number/],
    ['(2, 3', /expected a whole number/],
    ['(2, 3}', /expected a comma or the end of the shape/],
    ['(9007199254740993, 3)', /'9007199254740993', which no file holds/],
    [`(${'9'.repeat(400)}, 3)`, /which no file holds/],
  ] as const)
    t.regex(await refuses(t, npy(data, { shape: wrong })), message)
})

test('a length that is not the header and the rows is refused with both', async (t) => {
  const whole = npy(data, { shape })
  for (const bytes of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.alloc(1)])])
    t.regex(await refuses(t, bytes), new RegExp(`has ${bytes.length} bytes: 2 rows .* are ${whole.length}$`))
  // So many rows that their bytes are no exact number.
  t.regex(await refuses(t, npy(data, { shape: '(9007199254740991, 4096)' })), /are 147573952589676396[0-9]+$/)
})

test('a header that is cut, too long or of another form is refused', async (t) => {
  const whole = npy(data, { shape })
  for (let length = 0; length < whole.length; length++)
    t.regex(await refuses(t, whole.subarray(0, length)), /no \.npy file|ends within its header|bytes: 2 rows/)
  const long = Buffer.from(whole)
  long.writeUInt16LE(0xffff, 8)
  t.regex(await refuses(t, long), /header of 65535 bytes: at most 10000/)
  const longest = npy(data, { shape, version: 2 })
  longest.writeUInt32LE(0xffffffff, 8)
  t.regex(await refuses(t, longest), /header of 4294967295 bytes: at most 10000/)
  for (const [at, byte] of [
    [0, 0x92],
    [5, 0x79],
  ] as const) {
    const other = Buffer.from(whole)
    other[at] = byte
    t.regex(await refuses(t, other), /does not begin with \\x93NUMPY/)
  }
  for (const version of [
    [0, 0],
    [4, 0],
    [1, 1],
  ]) {
    const other = Buffer.from(whole)
    other.set(version, 6)
    t.regex(await refuses(t, other), new RegExp(`version ${version.join('.')}`))
  }
})

test('a dictionary is read, never evaluated: what is not expected is refused', async (t) => {
  for (const [text, message] of [
    ['', /expected a dictionary at character \d+, found '\\n'/],
    ['[]', /expected a dictionary/],
    ['{}', /without 'descr'/],
    ["{'descr': '<f4', 'fortran_order': False}", /without 'shape'/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}", /unknown key 'more'/],
    ["{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", /two entries 'descr'/],
    ["{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", /expected True or False/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': [2, 3]}", /expected a shape/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} or 1", /expected nothing after the dictionary/],
    ["{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3)}", /expected a comma/],
    ["{'de\\x73cr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", /expected a key/],
    ["{'descr': __import__('os'), 'fortran_order': False, 'shape': (2, 3)}", /expected a dtype/],
    ['{'.repeat(5000), /expected a key/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}\0", /expected nothing after the dictionary/],
  ] as const)
    t.regex(await refuses(t, npy(data, { text })), message, text)
})

test('what NumPy itself writes is read', async (t) => {
  const path = directory(t)
  const script = `
import sys
try:
    import numpy
except ImportError:
    sys.exit(3)
rows = numpy.arange(60).reshape(20, 3) / 4
for name in ('f2', 'f4', 'f8', '>f4', 'i4'):
    numpy.save(sys.argv[1] + '/' + name.replace('>', 'big-') + '.npy', rows.astype(name))
numpy.save(sys.argv[1] + '/fortran.npy', numpy.asfortranarray(rows.astype('f4')))
with open(sys.argv[1] + '/v3.npy', 'wb') as file:
    numpy.lib.format.write_array(file, rows.astype('f4'), version=(3, 0))
`
  const { status } = spawnSync('python3', ['-c', script, path])
  if (status !== 0) {
    t.log(`NOT RUN: python3 with numpy is not installed here (ended with ${status}).`)
    t.pass()
    return
  }
  const rows = Array.from({ length: 20 }, (_, row) => [0, 1, 2].map((at) => (row * 3 + at) / 4))
  for (const name of ['f2', 'f4', 'f8', 'v3']) {
    const array = await openNpy(join(path, `${name}.npy`))
    const found: number[][] = []
    for await (const row of array.rows()) found.push([...row])
    await array.close()
    t.deepEqual(found, rows, name)
  }
  for (const [name, message] of [
    ['big-f4', /big-endian/],
    ['i4', /not float16/],
    ['fortran', /Fortran order/],
  ] as const)
    t.regex((await refused(t, 'CUTOVER_SOURCE', openNpy(join(path, `${name}.npy`)))).message, message)
})
