import { MoreOutlined, QuestionCircleOutlined, SearchOutlined, UserOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Dropdown } from 'antd'
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { NavLink, useLocation, useNavigate } from 'react-router'
import { api } from '../api/client'
import { connection } from '../api/events'
import { useMe, useSignOut, useSpoken } from '../api/session'
import { look } from '../look/theme'
import { useSecond } from '../parts/age'
import { useStore } from '../parts/store'
import { clock, day, zoneName } from '../parts/times'
import { language, t, useLanguage } from '../words'
import { Finder } from './finder'
import { Help } from './help'
import { claimKeys, useKeys } from './keys'
import { PAGES, usePageEntries } from './pages'

const chrome = { finder: false, help: false }

export function Shell({ children }: { children: ReactNode }) {
  useLanguage()
  const [open, setOpen] = useState(chrome)
  const connected = useSyncExternalStore(connection.subscribe, connection.get)
  usePageKeys(() => setOpen({ finder: false, help: true }))
  return (
    <div className="shell">
      <Top onSearch={() => setOpen({ finder: true, help: false })} onHelp={() => setOpen({ finder: false, help: true })} />
      <Rail />
      <main className="work">
        {!connected && <div className="top-strip" role="status">{t('connection.lost')}</div>}
        {children}
      </main>
      <Finder open={open.finder} onOpen={(finder) => setOpen({ finder, help: false })} />
      <Help open={open.help} onClose={() => setOpen(chrome)} />
    </div>
  )
}

function usePageKeys(help: () => void): void {
  const navigate = useNavigate()
  const first = useRef<number | undefined>(undefined)
  const release = () => {
    window.clearTimeout(first.current)
    first.current = undefined
    claimKeys(false)
  }
  useEffect(() => release, [])
  useKeys(
    (event) => {
      if (first.current !== undefined) {
        release()
        const page = PAGES.find((each) => each.key === event.key)
        if (page) void navigate(page.path)
        return page !== undefined
      }
      if (event.key === '?') help()
      else if (event.key === 'g') {
        first.current = window.setTimeout(release, 1200)
        claimKeys(true)
      } else return false
      return true
    },
    undefined,
    true,
  )
}

function Rail() {
  const navigate = useNavigate()
  const where = useLocation()
  const pages = usePageEntries()
  const firstSpare = pages.findIndex((page) => !page.main)
  const inMore = pages.some((page) => !page.pocket && where.pathname.startsWith(page.path))
  const more = pages.filter((page) => !page.pocket).map((page) => ({ key: page.path, label: t(page.words), icon: page.icon }))
  return (
    <nav className="rail" aria-label={t('rail.label')}>
      {pages.map((page, index) => (
        <NavLink key={page.path} to={page.path} className={page.pocket ? '' : 'wide'} style={index === firstSpare ? { marginTop: 'auto' } : undefined}>
          {page.icon}
          <span>{t(page.words)}</span>
        </NavLink>
      ))}
      <Dropdown trigger={['click']} menu={{ items: more, onClick: ({ key }) => void navigate(key) }}>
        <button type="button" className={`narrow${inMore ? ' active' : ''}`}>
          <MoreOutlined />
          <span>{t('rail.more')}</span>
        </button>
      </Dropdown>
    </nav>
  )
}

function Top({ onSearch, onHelp }: { onSearch: () => void; onHelp: () => void }) {
  return (
    <header className="top">
      <NavLink to="/live" className="top-name">{t('app.name')}</NavLink>
      <span className="grow wide" />
      <button type="button" className="top-search" onClick={onSearch}>
        <SearchOutlined aria-hidden />
        <span className="clip">{t('search.hint')}</span>
        <kbd className="wide">Ctrl K</kbd>
      </button>
      <span className="grow wide" />
      <AlarmCounts />
      <Now />
      <button type="button" className="plain-button wide" onClick={onHelp} aria-label={t('help.title')} title={`${t('help.title')} (?)`}>
        <QuestionCircleOutlined />
      </button>
      <UserMenu />
    </header>
  )
}

function Now() {
  const now = useSecond()
  return <time className="top-clock wide" title={zoneName()}>{day(now * 1000)} {clock(now * 1000)}</time>
}

const SHAPES = ['●', '◆', '▲', '■'] as const

function AlarmCounts() {
  const { data } = useQuery({
    queryKey: ['alarms', 'open'],
    queryFn: ({ signal }) => api.get('alarms', { query: { state: 'raised', limit: 1 }, signal }),
    refetchInterval: 30_000,
  })
  const counts = SHAPES.map((_, index) => data?.counts[index + 1] ?? 0)
  const n = counts.reduce((sum, each) => sum + each, 0)
  return (
    <NavLink to="/alarms" className="top-alarms" title={t('alarms.count', { n })}>
      <span className="hidden-text">{t('alarms.count', { n })}</span>
      {SHAPES.map((shape, index) => {
        const count = counts[index]!
        return <span key={shape} className={count > 0 ? `p${index + 1}` : 'quiet'}>{shape} <b>{count}</b></span>
      })}
    </NavLink>
  )
}

function UserMenu() {
  const me = useMe()
  const speak = useSpoken()
  const signOut = useSignOut()
  const { name } = useStore(look)
  const items = [
    { key: 'who', label: `${me.data?.user.username ?? ''} · ${(me.data?.roles ?? []).join(', ')}`, disabled: true },
    { type: 'divider' as const },
    { key: 'zh-CN', label: t('language.zh'), disabled: language() === 'zh-CN' },
    { key: 'en', label: t('language.en'), disabled: language() === 'en' },
    { type: 'divider' as const },
    { key: 'look', label: name === 'dark' ? t('look.light') : t('look.dark') },
    { type: 'divider' as const },
    { key: 'out', label: t('signin.out') },
  ]
  const act = ({ key }: { key: string }) => {
    if (key === 'out') void signOut()
    else if (key === 'look') look.set({ name: name === 'dark' ? 'light' : 'dark' })
    else if (key === 'en' || key === 'zh-CN') speak(key)
  }
  return (
    <Dropdown trigger={['click']} menu={{ items, onClick: act }}>
      <button type="button" className="plain-button" title={t('user.menu')}>
        <UserOutlined aria-hidden />
        <span className="hidden-text">{t('user.menu')}</span>
        <span className="wide">{me.data?.user.username}</span>
      </button>
    </Dropdown>
  )
}
