// One way to the server: JSON, the CSRF header on writes, problems (RFC 9457) as exceptions.

export interface ProblemBody {
  code?: string
  title?: string
  detail?: string
  status?: number
  params?: Record<string, unknown>
  errors?: { field: string; code: string; params?: Record<string, unknown> }[]
}

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

export type Query = Record<string, string | number | boolean | undefined | null>

/** The address of an API path, for pictures and downloads. */
export function address(path: string, query?: Query): string {
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') asked.set(name, String(value))
  }
  const tail = asked.toString()
  return ROOT + path + (tail ? `?${tail}` : '')
}

async function call<T>(method: string, path: string, body?: unknown, query?: Query, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf
  let answer: Response
  try {
    answer = await fetch(address(path, query), {
      method, headers, credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Problem(0, { code: 'unreachable' })
  }
  if (answer.status === 204) return undefined as T
  const text = await answer.text()
  let value: unknown
  try {
    value = text ? JSON.parse(text) : undefined
  } catch {
    throw new Problem(answer.status, { code: 'not_json', detail: text.slice(0, 200) })
  }
  if (answer.ok) return value as T
  if (answer.status === 401 && path !== 'session') onSignedOut()
  throw new Problem(answer.status, (value ?? {}) as ProblemBody)
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => call<T>('GET', path, undefined, query, signal),
  post: <T>(path: string, body: unknown = {}) => call<T>('POST', path, body),
  put: <T>(path: string, body: unknown) => call<T>('PUT', path, body),
  patch: <T>(path: string, body: unknown) => call<T>('PATCH', path, body),
  remove: <T>(path: string) => call<T>('DELETE', path),
}
