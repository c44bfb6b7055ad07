// Every string on the screen: [English, 中文] side by side, so that neither can be forgotten.

import { useSyncExternalStore } from 'react'
import { actions } from './actions'
import { admin } from './admin'
import { alarms } from './alarms'
import { cases } from './cases'
import { days } from './days'
import { devices } from './devices'
import { fleet } from './fleet'
import { general } from './general'
import { health } from './health'
import { live } from './live'
import { phone } from './phone'
import { playback } from './playback'
import { problems } from './problems'
import server from './server.json'
import { signs } from './signs'
import { steps } from './steps'
import { tollgates } from './tollgates'
import { tolls } from './tolls'
import { traffic } from './traffic'
import { vehicles } from './vehicles'
import { violations } from './violations'
import { watches } from './watches'
import { wizard } from './wizard'

export const catalogue = {
  ...actions, ...general, ...live, ...phone, ...playback, ...devices, ...alarms, ...health, ...admin, ...wizard, ...tollgates, ...traffic, ...tolls, ...days, ...signs, ...fleet, ...vehicles, ...violations, ...watches, ...cases, ...steps, ...problems,
} as const

export type Key = keyof typeof catalogue
export type Language = 'en' | 'zh-CN'
export type Params = Record<string, unknown>

const STORED = 'safecity.language'
/** What the one who signed in last has set for themselves; it yields to what was chosen in this browser. */
const OWN = 'safecity.language.own'
const listeners = new Set<() => void>()

function first(): Language {
  const stored = localStorage.getItem(STORED) ?? localStorage.getItem(OWN)
  if (stored === 'en' || stored === 'zh-CN') return stored
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

let current: Language = first()

export function language(): Language {
  return current
}

export function setLanguage(next: Language): void {
  localStorage.setItem(STORED, next)
  turn(next)
}

/** Speaks to whoever signs in as they have it in their account, where nobody chose a language in this browser. */
export function speakAs(own: Language): void {
  localStorage.setItem(OWN, own)
  if (localStorage.getItem(STORED) === null) turn(own)
}

function turn(next: Language): void {
  current = next
  document.documentElement.lang = next
  for (const listener of [...listeners]) listener()
}

/** Re-renders the caller when the language changes. */
export function useLanguage(): Language {
  return useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, language)
}

/** The words for `key`, `{name}` filled from `params`. */
export function t(key: Key, params?: Params): string {
  const text: string = catalogue[key][current === 'en' ? 0 : 1]
  return params ? fill(text, params) : text
}

/** The words for a key made at run time (codes of the server), or null where we have none. */
export function maybe(key: string, params?: Params): string | null {
  return Object.hasOwn(catalogue, key) ? t(key as Key, params) : null
}

/** The server's own sentence for a code of a failed step, or null. Made by scripts/server_words.py. */
export function serverWords(code: string, params?: Params): string | null {
  const row = (server as Record<string, string[]>)[code]
  return row ? fill(row[current === 'en' ? 0 : 1] ?? '', params ?? {}) : null
}

function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name]
    return value === undefined || value === null ? whole : String(value)
  })
}
