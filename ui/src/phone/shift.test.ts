import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { begin, call, carried, type Fix, flush, stop, take } from './shift'

const SHIFT = { device: 'dv_1', name: 'Officer', token: 'phone-1.secret', since: '', until: '2026-01-01T12:00:00Z', area: null }
let online = true
let status = 200
let asked: { path: string; method: string; body: Record<string, unknown> }[] = []
let at = 1_700_000_000_000

const fix = (longitude = 118.37): Fix => ({ longitude, latitude: 31.33, at: (at += 10_000), speed: 1.5, heading: 90 })
const times = () => asked.filter((each) => each.path === 'positions').flatMap((each) => (each.body['features'] as { properties: { time: string } }[]).map((one) => one.properties.time))
const settled = async () => {
  while (!(await flush()) && online) await Promise.resolve()
}

beforeEach(() => {
  online = true
  status = 200
  asked = []
  vi.stubGlobal('fetch', async (path: string, { method, body, headers, credentials }: RequestInit) => {
    if (!online) throw new TypeError('no network')
    expect((headers as Record<string, string>)['Authorization']).toBe('Bearer phone-1.secret')
    expect(credentials).toBe('omit')
    asked.push({ path: path.replace('/api/v1/', ''), method: method ?? '', body: body ? (JSON.parse(body as string) as Record<string, unknown>) : {} })
    return new Response(null, { status: status === 200 && path.includes('phone/') ? 204 : status })
  })
  begin(SHIFT)
})
afterEach(() => vi.unstubAllGlobals())

describe('a shift with a phone', () => {
  it('keeps positions while there is no network, sends each once, and tells the end after them', async () => {
    online = false
    for (let n = 0; n < 3; n++) take(fix())
    await settled()
    expect(JSON.parse(localStorage.getItem('safecity.phone') ?? '').waiting).toHaveLength(3)
    stop()
    take(fix())
    await settled()
    online = true
    await settled()
    expect(new Set(times()).size).toBe(3)
    expect(times()).toHaveLength(3)
    expect(asked.at(-1)).toMatchObject({ path: 'phone/shift', method: 'DELETE' })
    expect(carried.get()).toMatchObject({ token: '', waiting: [], ending: false, lost: false })
    expect(localStorage.getItem('safecity.phone')).not.toContain('118.37')
  })

  it('leaves out what says nothing new, and takes nothing off duty', async () => {
    const first = fix()
    take(first)
    take({ ...first, at: first.at + 1_000 })
    take({ ...first, at: first.at + 2_000, longitude: first.longitude + 0.001 })
    await settled()
    expect(times()).toHaveLength(2)
    stop()
    await settled()
    take(fix())
    await settled()
    expect(times()).toHaveLength(2)
  })

  it('sends a call for help before everything else, the same one until it is heard', async () => {
    online = false
    take(fix())
    call(fix())
    await settled()
    const [{ key } = { key: '' }] = carried.get().calls
    online = true
    status = 503
    await flush()
    status = 200
    await settled()
    expect(asked.map((each) => each.path)).toEqual(['phone/sos', 'phone/sos', 'positions'])
    expect(asked.slice(0, 2).map((each) => each.body['key'])).toEqual([key, key])
    expect(carried.get().called).toBeGreaterThan(0)
  })

  it('is over where the platform takes the token no more', async () => {
    status = 401
    take(fix())
    await settled()
    expect(carried.get()).toMatchObject({ token: '', waiting: [], lost: true })
  })

  it('does not stay with what will never be taken', async () => {
    status = 422
    take(fix())
    await settled()
    expect(carried.get()).toMatchObject({ token: 'phone-1.secret', waiting: [], sentAt: 0 })
  })
})
