// Stretches that are being fetched from devices: they go on while somebody looks at something else.

import { api } from '../api/client'
import { saveBlob } from '../parts/save'
import { type Fetched, gather } from '../media/fetching'
import { Store } from '../parts/store'
import { iso, stamp } from '../parts/times'

export interface FetchJob {
  id: number
  name: string
  start: number
  end: number
  seconds: number
  bytes: number
  state: 'running' | 'done' | 'failed'
  result: Fetched | null
  problem: unknown
  cancel: () => void
}

export const fetches = new Store<{ jobs: FetchJob[] }>({ jobs: [] })

let next = 1
const SHOWN_MS = 500

function change(id: number, to: Partial<FetchJob>): void {
  fetches.set(({ jobs }) => ({ jobs: jobs.map((job) => (job.id === id ? { ...job, ...to } : job)) }))
}

export function forget(id: number): void {
  fetches.set(({ jobs }) => ({ jobs: jobs.filter((job) => job.id !== id) }))
}

/** Begin, and put the files with the browser's downloads when it is through. */
export function fetchFromDevice(channel: string, name: string, start: number, end: number, speed: number): void {
  const id = next
  next += 1
  const given = new AbortController()
  fetches.set(({ jobs }) => ({
    jobs: [...jobs, { id, name, start, end, seconds: 0, bytes: 0, state: 'running', result: null, problem: null, cancel: () => given.abort() }],
  }))
  void run(id, channel, name, start, end, speed, given.signal)
}

async function run(id: number, channel: string, name: string, start: number, end: number, speed: number, signal: AbortSignal): Promise<void> {
  let session = ''
  try {
    const begun = await api.post('channels/{channel}/device-playback', { path: { channel }, body: { start: iso(start), end: iso(end), speed } })
    session = begun.session
    let shownAt = 0
    const result = await gather(begun.url, (seconds, bytes) => {
      if (performance.now() - shownAt < SHOWN_MS) return
      shownAt = performance.now()
      change(id, { seconds, bytes })
    }, signal)
    if (result.ended === 'cancelled') {
      forget(id)
      return
    }
    const many = result.files.length > 1
    result.files.forEach((file, index) => saveBlob(file, `${name} ${stamp(start).replaceAll(':', '-')}${many ? ` (${index + 1})` : ''}.mp4`))
    change(id, { seconds: result.seconds, bytes: result.bytes, result, state: result.files.length > 0 ? 'done' : 'failed' })
  } catch (error) {
    if (signal.aborted) forget(id)
    else change(id, { state: 'failed', problem: error })
  } finally {
    if (session) void api.remove('device-playbacks/{session}', { path: { session } }).catch(() => undefined)
  }
}
