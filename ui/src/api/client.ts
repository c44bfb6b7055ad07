// One way to the server: JSON, the CSRF header on writes, problems (RFC 9457) as exceptions. Paths, queries, bodies and
// answers are those of the API's own description (schema.ts is generated from it): what does not fit does not compile.

import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type ProblemBody = Partial<Schemas['Problem']>

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type Full<P extends string> = `/api/v1/${P}`

/** Paths below /api/v1/ that know the method: `channels/{channel}/live`. */
export type PathOf<M extends Method> = {
  [K in keyof paths]: K extends Full<infer P> ? (paths[K][M] extends undefined ? never : P) : never
}[keyof paths]

type Operation<M extends Method, P extends string> = Full<P> extends keyof paths ? NonNullable<paths[Full<P>][M]> : never
type Success = 200 | 201 | 202 | 204
type Content<R> = R extends { content: { 'application/json': infer T } } ? T : undefined

// All of it is worked out path by path and then picked: over all paths at once the compiler would multiply them.

type Answers<M extends Method> = {
  [P in PathOf<M>]: Operation<M, P> extends { responses: infer R } ? Content<R[keyof R & Success]> : never
}
/** What it answers; nothing where it answers 204. */
export type Answer<M extends Method, P extends PathOf<M>> = Answers<M>[P]

type Named<O> = O extends { parameters: { path: infer T extends object } } ? { path: T } : { path?: undefined }
type Asked<O> =
  O extends { parameters: { query: infer T extends object } } ? { query: T }
    : O extends { parameters: { query?: infer T } } ? ([T] extends [undefined] ? { query?: undefined } : { query?: T }) : { query?: undefined }
type Sent<O> =
  O extends { requestBody: { content: { 'application/json': infer T } } } ? { body: T }
    : O extends { requestBody?: { content: { 'application/json': infer T } } } ? { body?: T } : { body?: undefined }

// Where there are none the description says `never`, and of that TypeScript believes that it has every key.
type Headers<O> = O extends { parameters: { header?: infer T } } ? ([NonNullable<T>] extends [never] ? object : NonNullable<T>) : object
/** `revision`: what the change was made from; 412 when somebody was faster. */
type Tied<O> = 'if-match' extends keyof Headers<O> ? { revision?: number } : { revision?: undefined }
/** `once`: asked again when the answer is lost on the way, and done once all the same. */
type Repeated<O> = 'Idempotency-Key' extends keyof Headers<O> ? { once?: boolean } : { once?: undefined }

type Given<O> = Named<O> & Asked<O> & Sent<O> & Tied<O> & Repeated<O> & { signal?: AbortSignal }
type Asks<M extends Method> = { [P in PathOf<M>]: Given<Operation<M, P>> }
/** What a call takes beside its path. */
export type Ask<M extends Method, P extends PathOf<M>> = Asks<M>[P]
type Rests<M extends Method> = { [P in PathOf<M>]: object extends Asks<M>[P] ? [ask?: Asks<M>[P]] : [ask: Asks<M>[P]] }
type Rest<M extends Method, P extends PathOf<M>> = Rests<M>[P]

type Bodies<M extends Method> = { [P in PathOf<M>]: NonNullable<Sent<Operation<M, P>>['body']> }
/** What is sent to a path: `Body<'patch', 'devices/{device}'>`. */
export type Body<M extends Method, P extends PathOf<M>> = Bodies<M>[P]
type Queries = { [P in PathOf<'get'>]: NonNullable<Asked<Operation<'get', P>>['query']> }
export type Query<P extends PathOf<'get'>> = Queries[P]

/** What the server answered instead of what was asked. */
export class Problem extends Error {
  readonly code: string
  readonly params: Record<string, unknown>

  constructor(
    readonly status: number,
    readonly body: ProblemBody,
  ) {
    super(body.detail ?? body.title ?? String(status))
    this.code = body.code ?? (status === 0 ? 'unreachable' : 'internal')
    this.params = body.params ?? {}
  }
}

const ROOT = '/api/v1/'

let csrf = ''
let language = 'zh-CN'
let onSignedOut: () => void = () => undefined

export function keepCsrf(token: string): void {
  csrf = token
}

export function speak(tag: string): void {
  language = tag
}

export function whenSignedOut(action: () => void): void {
  onSignedOut = action
}

interface Loose {
  path?: object | undefined
  query?: object | undefined
  body?: unknown
  revision?: number
  once?: boolean
  signal?: AbortSignal
}

function located(template: string, { path = {}, query = {} }: Loose): string {
  const place = Object.entries(path).reduce((text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(String(value))), template)
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') asked.set(name, String(value))
  }
  const tail = asked.toString()
  return ROOT + place + (tail ? `?${tail}` : '')
}

/** The address of what is read, for pictures and downloads. */
export function address<P extends PathOf<'get'>>(path: P, ...rest: Rest<'get', P>): string {
  return located(path, loosened(rest))
}

/** What is checked where it is written is only carried from here on. */
function loosened(rest: unknown): Loose {
  return (rest as [Loose?])[0] ?? {}
}

/** 128 bits by chance; `randomUUID` exists on https only. */
function key(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function request(method: string, path: string, ask: Loose): Promise<Response> {
  const { body, signal, revision, once } = ask
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf
  if (revision !== undefined) headers['If-Match'] = `"${revision}"`
  if (once) headers['Idempotency-Key'] = key()
  const send = () => fetch(located(path, ask), {
    method, headers, credentials: 'same-origin',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  })
  const unreachable = (error: unknown): never => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Problem(0, { code: 'unreachable' })
  }
  return (once ? send().catch(send) : send()).catch(unreachable)
}

async function call(method: string, path: string, ask: Loose): Promise<unknown> {
  const answer = await request(method, path, ask)
  if (answer.status === 204) return undefined
  const text = await answer.text()
  let value: unknown
  try {
    value = text ? JSON.parse(text) : undefined
  } catch {
    throw new Problem(answer.status, { code: 'not_json', detail: text.slice(0, 200) })
  }
  if (answer.ok) return value
  if (answer.status === 401 && path !== 'session') onSignedOut()
  throw new Problem(answer.status, (value ?? {}) as ProblemBody)
}

function by<M extends Method>(method: M) {
  return <P extends PathOf<M>>(path: P, ...rest: Rest<M, P>) => call(method.toUpperCase(), path, loosened(rest)) as Promise<Answer<M, P>>
}

/** A file, with the name the server gives it. */
interface Made {
  name: string
  file: Blob
}

/** One that is made on demand. */
export const download = <P extends PathOf<'post'>>(path: P, ...rest: Rest<'post', P>): Promise<Made> => made('POST', path, loosened(rest))

/** One that is read as it is now. */
export const readFile = <P extends PathOf<'get'>>(path: P, ...rest: Rest<'get', P>): Promise<Made> => made('GET', path, loosened(rest))

async function made(method: string, path: string, ask: Loose): Promise<Made> {
  const answer = await request(method, path, ask)
  if (!answer.ok) {
    if (answer.status === 401) onSignedOut()
    throw new Problem(answer.status, (await answer.json().catch(() => ({}))) as ProblemBody)
  }
  const name = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? ''
  return { name, file: await answer.blob() }
}

export const api = { get: by('get'), post: by('post'), put: by('put'), patch: by('patch'), remove: by('delete') }
