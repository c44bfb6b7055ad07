// Who is signed in, and whether the platform has an administrator yet.

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { language, setLanguage, speakAs } from '../words'
import { api, Problem, speak, keepCsrf } from './client'
import type { Me } from './types'

async function whoAmI(): Promise<Me | null> {
  speak(language())
  try {
    const me = await api.get('session')
    keepCsrf(me.csrf)
    return me
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null
    throw error
  }
}

export function useMe() {
  return useQuery({ queryKey: ['session'], queryFn: whoAmI, staleTime: 60_000, retry: (count, error) => count < 5 || isNetwork(error) })
}

function isNetwork(error: unknown): boolean {
  return error instanceof Problem && error.status === 0
}

/** Whether the signed-in user may do `permission`; the server decides anyway, this only hides dead buttons. */
export function useMay(permission: string): boolean {
  const { data } = useMe()
  if (!data) return false
  return data.permissions.includes('*') || data.permissions.includes(permission) || data.roles.includes('administrator')
}

export function useSignIn() {
  const queries = useQueryClient()
  return async (username: string, password: string) => {
    const me = await api.post('session', { body: { username, password } })
    keepCsrf(me.csrf)
    speakAs(me.language)
    speak(language())
    queries.setQueryData(['session'], me)
    return me
  }
}

export function useSignOut() {
  const queries = useQueryClient()
  return async () => {
    await api.remove('session')
    queries.setQueryData(['session'], null)
    queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' })
  }
}

/** Tell the server (for its sentences) and the next visit which language is spoken. */
export function useSpoken(): (tag: 'en' | 'zh-CN') => void {
  useEffect(() => speak(language()), [])
  return (tag) => {
    setLanguage(tag)
    speak(tag)
  }
}
