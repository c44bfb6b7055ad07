import { useInfiniteQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import { type Answer, api, type PathOf, type Query } from '../api/client'

/** Paths that answer a part of a list and where the next part begins. */
type Listed = { [P in PathOf<'get'>]: Answer<'get', P> extends { items: unknown[]; next: string | null } ? P : never }[PathOf<'get'>]
type Row<P extends Listed> = Answer<'get', P> extends { items: (infer T)[] } ? T : never

/** What the caller was checked for is only carried from here on. */
const get = api.get as unknown as (path: string, ask: object) => Promise<{ items: unknown[]; next: string | null }>

/** A list of the API, part after part, as far as it is looked at; `place`: what its path names; `first`: its first part with what is said beside the rows; `at`: when it was asked for, milliseconds. */
export function usePages<P extends Listed>(key: string[], path: P, query?: Query<P>, refetchInterval: number | false = false, place?: object) {
  const wanted: object = query ?? {}
  const asked = useInfiniteQuery({
    queryKey: [...key, wanted],
    queryFn: ({ pageParam, signal }) => get(path, { ...(place ? { path: place } : {}), query: { limit: 200, ...wanted, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval,
  })
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = asked
  const rows = useMemo(() => (asked.data?.pages.flatMap((page) => page.items) ?? []) as Row<P>[], [asked.data])
  const more = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage()
  }, [isFetchingNextPage, fetchNextPage])
  const first = asked.data?.pages[0] as Answer<'get', P> | undefined
  return { rows, first, more: hasNextPage ? more : undefined, loading: asked.isPending, error: asked.error, at: asked.dataUpdatedAt, refetch: () => void asked.refetch() }
}
