import { afterEach, describe, expect, it, vi } from 'vitest'
import { address, api, keepCsrf, Problem, whenSignedOut } from './client'

function answers(status: number, body: unknown) {
  const fetched = vi.fn<typeof fetch>(() => Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status })))
  vi.stubGlobal('fetch', fetched)
  return fetched
}

afterEach(() => vi.unstubAllGlobals())

describe('the way to the server', () => {
  it('puts names into the path so that no name can leave its place', () => {
    expect(address('exports/{export}/files/{name}', { path: { export: 'ex_1', name: '../a b?.mp4' } })).toBe('/api/v1/exports/ex_1/files/..%2Fa%20b%3F.mp4')
  })

  it('leaves out of the query what was not said', () => {
    expect(address('channels', { query: { q: '', state: undefined, area: 'ar_1', limit: 5 } })).toBe('/api/v1/channels?area=ar_1&limit=5')
  })

  it('sends the token with writes and with nothing else', async () => {
    keepCsrf('token')
    const fetched = answers(204, undefined)
    await api.remove('views/{view}', { path: { view: 'vw_1' } })
    await api.get('session')
    const sent = fetched.mock.calls.map(([, init]) => (init?.headers as Record<string, string>)['X-CSRF-Token'])
    expect(sent).toEqual(['token', undefined])
  })

  it('throws what the server says, and signs out only where a session is missing', async () => {
    const out = vi.fn()
    whenSignedOut(out)
    answers(404, { code: 'not_found', detail: 'There is no such channel.', params: { kind: 'channel' } })
    const missing: unknown = await api.get('channels/{channel}', { path: { channel: 'ch_1' } }).catch((error: unknown) => error)
    expect(missing).toBeInstanceOf(Problem)
    expect((missing as Problem).code).toBe('not_found')
    expect(out).not.toHaveBeenCalled()
    answers(401, { code: 'unauthenticated' })
    await api.get('views').catch(() => undefined)
    expect(out).toHaveBeenCalledOnce()
  })

  it('ties a change to what it was made from', async () => {
    const fetched = answers(200, {})
    await api.patch('settings', { body: { name: 'City' }, revision: 7 })
    expect((fetched.mock.calls[0]![1]?.headers as Record<string, string>)['If-Match']).toBe('"7"')
  })

  it('asks again under the same key when the answer got lost, and only where that is harmless', async () => {
    const lost = vi.fn<typeof fetch>().mockRejectedValueOnce(new TypeError('network')).mockResolvedValue(new Response('{"id":"ar_1"}', { status: 201 }))
    vi.stubGlobal('fetch', lost)
    expect(await api.post('areas', { body: { name: 'Wuhu' }, once: true })).toEqual({ id: 'ar_1' })
    const keys = lost.mock.calls.map(([, init]) => (init?.headers as Record<string, string>)['Idempotency-Key'])
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(keys[1]).toBe(keys[0])

    const gone = vi.fn<typeof fetch>().mockRejectedValue(new TypeError('network'))
    vi.stubGlobal('fetch', gone)
    await expect(api.post('areas', { body: { name: 'Wuhu' } })).rejects.toMatchObject({ status: 0, code: 'unreachable' })
    expect(gone).toHaveBeenCalledTimes(1)
  })
})

/** Never run: the compiler is what is tested. */
export function refused(): void {
  // @ts-expect-error no such path
  void api.get('cameras')
  // @ts-expect-error the path is not one that is posted to
  void api.post('channels', { body: {} })
  // @ts-expect-error a part of the path is missing
  void api.get('channels/{channel}')
  // @ts-expect-error a part of the path has another name
  void api.get('channels/{channel}', { path: { device: 'ch_1' } })
  // @ts-expect-error no such question
  void api.get('channels', { query: { colour: 'red' } })
  // @ts-expect-error no such word
  void api.post('channels/{channel}/live', { path: { channel: 'ch_1' }, body: { quality: 'best' } })
  // @ts-expect-error the body is missing
  void api.post('areas')
  // @ts-expect-error a field that must be sent is missing
  void api.post('areas', { body: { code: '34' } })
  // @ts-expect-error reads are not tied to a revision
  void api.get('settings', { revision: 1 })
  // @ts-expect-error there is no such field in the answer
  void api.get('settings').then((answer) => answer.colour)
}
