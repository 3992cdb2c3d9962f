// The types of `cutover/store`.
import { openStore } from 'cutover/store'
import type { Followed, StoreSnapshot, VersionInfo, VersionStore } from 'cutover/store'
import { claim } from './support.js'
import type { Same } from './support.js'

declare const store: VersionStore

const followed = store.follow(
  async (snapshot) => ({ path: snapshot.path('a') }),
  (value) => void value.path.toUpperCase(),
)
claim<Same<typeof followed, Promise<Followed<{ path: string }>>>>()
const used = followed.then((value) => value.use(({ path }) => path.length))
claim<Same<typeof used, Promise<number>>>()

void openStore('x', { required: ['a'], keep: { versions: 2 }, mode: 'read-only' })
// @ts-expect-error not an option
void openStore('x', { fields: {} })
// @ts-expect-error only a rebuild coalesces
void store.draft({ coalesce: true })
// @ts-expect-error a store knows nothing of contents
void store.verify({ depth: 'contents' })
// @ts-expect-error paths are strings
void store.extend({ a: 7 })
// @ts-expect-error a version is held by its id
void store.snapshot({ version: 7 })

async function release(): Promise<VersionInfo> {
  await using snapshot: StoreSnapshot = await store.snapshot()
  await using draft = await store.draft()
  await draft.attach('a', snapshot.path('a'), { how: 'move' })
  return draft.publish({ signal: AbortSignal.timeout(1) })
}
void release
