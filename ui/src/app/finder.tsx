import { useQuery } from '@tanstack/react-query'
import { useDeferredValue, useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { api } from '../api/client'
import type { Hit } from '../api/types'
import { show } from '../live/wall'
import { Dot } from '../parts/state'
import { catalogue, type Key, t, useLanguage } from '../words'
import { usePageEntries } from './pages'

interface Found {
  key: string
  kind: Key
  name: string
  detail?: string
  state?: string
  go: () => void
}

/** The one search box: pages by name or pinyin initials at once, the rest from the server. */
export function Finder({ open, onOpen }: { open: boolean; onOpen: (open: boolean) => void }) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        onOpen(!open)
      }
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [open, onOpen])
  return open ? <FinderBox close={() => onOpen(false)} /> : null
}

function FinderBox({ close }: { close: () => void }) {
  useLanguage()
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const query = useDeferredValue(text.trim())
  const found = useFound(query)
  const pick = (item: Found | undefined) => {
    if (!item) return
    close()
    item.go()
  }
  const press = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') close()
    else if (event.key === 'ArrowDown') setChosen((now) => Math.min(now + 1, found.length - 1))
    else if (event.key === 'ArrowUp') setChosen((now) => Math.max(now - 1, 0))
    else if (event.key === 'Enter') pick(found[chosen])
    else return
    event.preventDefault()
  }
  return (
    <div className="finder" onMouseDown={(event) => event.target === event.currentTarget && close()}>
      <div className="finder-box" role="dialog" aria-modal="true" aria-label={t('search.open')}>
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls="finder-list"
          aria-activedescendant={found[chosen] ? `find-${found[chosen].key}` : undefined}
          aria-label={t('search.open')}
          placeholder={t('search.hint')}
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setChosen(0)
          }}
          onKeyDown={press}
        />
        <ul className="finder-list" id="finder-list" role="listbox" aria-label={t('search.open')}>
          {found.map((item, index) => (
            <li
              key={item.key} id={`find-${item.key}`} role="option" aria-selected={index === chosen}
              className={index === chosen ? 'chosen' : ''} onMouseMove={() => setChosen(index)} onClick={() => pick(item)}
            >
              {item.state ? <Dot state={item.state} /> : <span style={{ width: 10 }} />}
              <span className="clip grow">{item.name}</span>
              {item.detail && <span className="quiet clip">{item.detail}</span>}
              <span className="badge">{t(item.kind)}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <div className="finder-note">{query ? t('search.nothing', { q: query }) : t('search.type')}</div>}
      </div>
    </div>
  )
}

function useFound(query: string): Found[] {
  const navigate = useNavigate()
  const initials = useInitials(query !== '')
  const { data } = useQuery({
    queryKey: ['search', query],
    queryFn: ({ signal }) => api.get('search', { query: { q: query, limit: 30 }, signal }),
    enabled: query.length > 0,
    placeholderData: (before) => before,
  })
  const wanted = query.toLowerCase()
  const pages = usePageEntries().filter((page) => {
    const names = catalogue[page.words]
    return !wanted || names.some((name) => name.toLowerCase().includes(wanted)) || initials(names[1]).includes(wanted)
  }).map<Found>((page) => ({ key: page.path.slice(1), kind: 'search.kind.page', name: t(page.words), go: () => void navigate(page.path) }))
  const hits = query ? (data?.items ?? []).map<Found>((hit) => toFound(hit, navigate)) : []
  return [...hits, ...pages]
}

function toFound(hit: Hit, navigate: (path: string) => void | Promise<void>): Found {
  const go = () => {
    if (hit.kind === 'channel') {
      show(hit.id)
      void navigate('/live')
    } else if (hit.kind === 'device') void navigate(`/devices/${hit.id}`)
    else void navigate(hit.kind === 'area' ? '/areas' : '/organisations')
  }
  const kind: Key = hit.kind === 'channel' ? 'search.kind.channel' : hit.kind === 'device' ? 'search.kind.device' : 'search.kind.area'
  return {
    key: hit.id, kind, name: hit.name, go,
    ...(hit.detail ? { detail: hit.detail } : {}),
    ...(hit.state ? { state: hit.state } : {}),
  }
}

/** Pinyin initials; the table is large, so it is fetched when somebody first searches. */
function useInitials(wanted: boolean): (text: string) => string {
  const [convert, setConvert] = useState<(text: string) => string>(() => () => '')
  useEffect(() => {
    if (!wanted) return
    let gone = false
    void import('pinyin-pro').then(({ pinyin }) => {
      if (!gone) setConvert(() => (text: string) => pinyin(text, { pattern: 'first', toneType: 'none', separator: '' }).toLowerCase())
    })
    return () => {
      gone = true
    }
  }, [wanted])
  return convert
}
