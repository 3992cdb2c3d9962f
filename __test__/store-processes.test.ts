// Other processes, in any language: they see whole versions, hold what they read, and leave nothing behind when they are killed.
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { child, message } from './support/child-process.js'
import { contents } from './support/index.js'
import { build, python, read, run, store } from './support/store.js'

test('a reader in another language needs only the file system', async (t) => {
  const interpreter = python(t)
  if (!interpreter) return
  const versions = await store(t)
  const one = await versions.rebuild(build({ 'index.faiss': 'first', 'lucene/_0.cfs': 'terms' }))
  const reader = `import hashlib, os, sys
root = sys.argv[1]
with open(os.path.join(root, 'CURRENT'), 'rb') as f:
    line = f.read()
assert line.endswith(b'\\n') and line.count(b'\\n') == 1, line
version = line.decode('ascii').strip()
directory = os.path.join(root, 'versions', version)
link = os.readlink(os.path.join(root, 'current'))
assert link == 'versions/' + version, link
assert os.path.realpath(os.path.join(root, 'current')) == os.path.realpath(directory)
with open(os.path.join(directory, 'artifacts', 'index.faiss')) as f:
    content = f.read()
with open(os.path.join(root, 'current', 'artifacts', 'lucene', '_0.cfs')) as f:
    terms = f.read()
with open(os.path.join(directory, 'SHA256SUMS')) as f:
    for entry in f.read().splitlines():
        digest, name = entry[:64], entry[66:]
        with open(os.path.join(directory, name), 'rb') as g:
            assert hashlib.sha256(g.read()).hexdigest() == digest, name
print(version, content, terms)`
  t.is(run(interpreter, ['-c', reader, versions.path]), `${one.id} first terms`)
  const two = await versions.rebuild(build({ 'index.faiss': 'second', 'lucene/_0.cfs': 'words' }))
  t.is(run(interpreter, ['-c', reader, versions.path]), `${two.id} second words`)
  await versions.rollback()
  t.is(run(interpreter, ['-c', reader, versions.path]), `${one.id} first terms`)
  for (const { id } of await versions.versions())
    run('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], join(versions.path, 'versions', id))
})

test('a reader in another language holds a version by a lock on its lease', async (t) => {
  const interpreter = python(t)
  if (!interpreter) return
  const versions = await store(t, { keep: { versions: 1 } })
  await versions.rebuild(build({ a: '1' }), { version: 'one' })
  const holder = child(t, 'hold', versions.path, 'store-child')
  t.is((await message(holder))['id'], 'one')
  const prune = `import fcntl, sys
with open(sys.argv[1]) as f:
    try:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print('free')
    except BlockingIOError:
        print('held')`
  const lease = join(versions.path, 'versions/one/.lease')
  t.is(run(interpreter, ['-c', prune, lease]), 'held')
  for (const version of ['two', 'three', 'four']) await versions.rebuild(build({ a: version }), { version })
  t.deepEqual((await versions.status()).inUse, ['one'])
  t.deepEqual(readdirSync(join(versions.path, 'versions')).toSorted(), ['four', 'one', 'three'])
  const exit = once(holder, 'exit')
  holder.kill('SIGKILL')
  await exit
  t.is(run(interpreter, ['-c', prune, lease]), 'free', 'a killed reader holds nothing')
  t.like(await versions.prune(), { removed: ['one'], inUse: [] })
})

test('a killed draft is never seen, frees the lock, and is gone after the next write', async (t) => {
  const versions = await store(t)
  await versions.rebuild(build({ a: '1' }))
  const before = contents(versions.path)
  const doomed = child(t, 'draft', versions.path, 'store-child')
  const id = String((await message(doomed))['id'])
  t.like((await versions.status()).lock, { pid: doomed.pid ?? -1, operation: 'draft' })
  const exit = once(doomed, 'exit')
  doomed.kill('SIGKILL')
  await exit
  t.true(existsSync(join(versions.path, 'versions', `${id}.staging`)))
  t.is(await read(versions, 'a'), '1')
  t.is((await versions.versions()).length, 1)
  await versions.prune()
  t.deepEqual(contents(versions.path), before)
})

test('the link `current` is relative, so that a store can be moved', async (t) => {
  const versions = await store(t)
  const { id } = await versions.rebuild(build({ a: '1' }))
  t.is(readlinkSync(join(versions.path, 'current')), `versions/${id}`)
  t.is(readFileSync(join(versions.path, 'current/artifacts/a'), 'utf8'), '1')
})
