// A search of passages: part after part, with what each part looked at.

import { useInfiniteQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import { api, type Query } from '../api/client'
import { iso, offsetMinutes, stamp } from '../parts/times'
import { t } from '../words'

export type Wish = Omit<Query<'passages'>, 'cursor' | 'limit'>

/** `turn`: how often it was asked for; the same words again are asked anew. */
export function useSearch(wish: Wish, turn: number) {
  const asked = useInfiniteQuery({
    queryKey: ['passages', wish, turn],
    queryFn: ({ pageParam, signal }) => api.get('passages', { query: { ...wish, limit: 200, cursor: pageParam }, signal }),
    // The same search again shows what it found before until it has found anew.
    placeholderData: (before, query) => (JSON.stringify(query?.queryKey[1]) === JSON.stringify(wish) ? before : undefined),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    // Each time it is asked it is written down: only whoever presses the button asks.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    retry: false,
  })
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = asked
  const pages = asked.data?.pages
  const rows = useMemo(() => pages?.flatMap((page) => page.items) ?? [], [pages])
  const looked = useMemo(() => ({
    plates: pages?.[0]?.looked_at.plates ?? 0,
    passages: pages?.reduce((sum, page) => sum + page.looked_at.passages, 0) ?? 0,
    backTo: pages?.at(-1)?.looked_at.back_to ?? null,
  }), [pages])
  const more = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage()
  }, [isFetchingNextPage, fetchNextPage])
  return { rows, looked, more: hasNextPage ? more : undefined, loading: asked.isPending, busy: isFetchingNextPage, error: asked.error, refetch: () => void asked.refetch() }
}

/** Which passages a search went through, in words. */
export function lookedAt({ passages, back_to }: { passages: number; back_to: string | null }): string {
  const n = passages.toLocaleString()
  return back_to ? t('search.lookedPassages', { n, at: stamp(back_to) }) : t('search.lookedAll', { n })
}

/** What an input of the kind `datetime-local` says, in the zone that is shown; nothing for nothing. */
export function moment(local: string | undefined): string | undefined {
  const ms = local ? Date.parse(`${local}Z`) : NaN
  return Number.isNaN(ms) ? undefined : iso(ms * 1000 - offsetMinutes(ms * 1000) * 60_000_000)
}
