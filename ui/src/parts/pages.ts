import { useInfiniteQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import { api, type Query } from '../api/client'
import type { Page } from '../api/types'

/** A list of the API, part after part, as far as it is looked at. */
export function usePages<T>(key: string[], path: string, query: Query = {}, refetchInterval: number | false = false) {
  const asked = useInfiniteQuery({
    queryKey: [...key, query],
    queryFn: ({ pageParam, signal }) => api.get<Page<T>>(path, { limit: 200, ...query, cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval,
  })
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = asked
  const rows = useMemo(() => asked.data?.pages.flatMap((page) => page.items) ?? [], [asked.data])
  const more = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage()
  }, [isFetchingNextPage, fetchNextPage])
  return { rows, more: hasNextPage ? more : undefined, loading: asked.isPending, error: asked.error, refetch: () => void asked.refetch() }
}
