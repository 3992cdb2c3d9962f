// Rebuilds of an index that wait for the lock together.
import test from 'ava'
import { openIndex } from '#dist/index.js'
import { directory } from './support/index.js'

const fields = { title: { type: 'text' } } as const
const one = (id: string) => [{ id, title: id }]

/** Something that comes when it is told to. */
function later() {
  let come!: () => void
  const comes = new Promise<void>((resolve) => {
    come = resolve
  })
  return { comes, come }
}

test('a rebuild that coalesces joins an equal one that waits for the lock, and not one that has begun', async (t) => {
  const index = await openIndex(directory(t), { fields })
  const [held, released] = [later(), later()]
  const first = index.rebuild(async () => {
    held.come()
    await released.comes
    return one('first')
  })
  await held.comes

  const read: string[] = []
  const source = (name: string) => () => {
    read.push(name)
    return one(name)
  }
  const told: string[] = []
  const second = index.rebuild(source('second'), { coalesce: true })
  const third = index.rebuild(source('third'), { coalesce: true, onProgress: ({ phase }) => told.push(phase) })
  const alone = index.rebuild(source('alone'))
  const other = index.rebuild(source('other'), { coalesce: true, attributes: { other: true } })
  const given = new AbortController()
  const leaver = t.throwsAsync(index.rebuild(source('leaver'), { coalesce: true, signal: given.signal }))
  given.abort(new Error('no longer'))
  t.is((await leaver)?.message, 'no longer')
  released.come()

  const [a, b] = await Promise.all([second, third])
  t.is(a.id, b.id)
  t.true(told.includes('publishing'))
  const ids = new Set([(await first).id, a.id, (await alone).id, (await other).id])
  t.is(ids.size, 4)
  t.deepEqual(read.toSorted(), ['alone', 'other', 'second'])
  t.not((await index.rebuild(source('later'), { coalesce: true })).id, a.id)
  await t.throwsAsync(index.rebuild(one('x'), { coalesce: true }), {
    instanceOf: TypeError,
    message: /source function/,
  })
  await index.close()
})
