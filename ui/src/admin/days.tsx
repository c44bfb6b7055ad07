import { LeftOutlined, RightOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Input, Select } from 'antd'
import { type KeyboardEvent, useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Platform } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { useFilled } from '../parts/revised'
import { language, t } from '../words'
import { DAY_KINDS, type DayKind, type Days, monthsOf, readDays, steppedTo, toggled, usualKind } from './daylist'

/** Holidays and weekends that are worked: a year to click in, a table of its special days, and a list to be taken over. */
export function DaysCard() {
  const { data } = useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => api.get('settings', { signal }) })
  return data ? <DaysForm data={data} /> : null
}

function DaysForm({ data }: { data: Platform }) {
  const queries = useQueryClient()
  const may = useMay('settings.change')
  const kept = data.day_kinds as Days
  const [changed, setChanged] = useState<Days | null>(null)
  const [year, setYear] = useState(new Date().getFullYear())
  const [problem, setProblem] = useState<unknown>(null)
  const base = useFilled(data, changed !== null, () => api.get('settings'))
  const days = changed ?? kept
  const save = async () => {
    try {
      await api.patch('settings', { body: { day_kinds: days }, revision: base.revision() })
      setProblem(null)
      await queries.invalidateQueries({ queryKey: ['settings'] })
      setChanged(null)
    } catch (error) {
      setProblem(error)
      await base.failed(error)
    }
  }
  return (
    <section className="panel column wide-card" aria-label={t('days.title')}>
      <div className="row">
        <h2 className="grow">{t('days.title')}</h2>
        <Button size="small" icon={<LeftOutlined />} aria-label={t('days.before')} onClick={() => setYear(year - 1)} />
        <b aria-live="polite">{t('days.year', { year })}</b>
        <Button size="small" icon={<RightOutlined />} aria-label={t('days.after')} onClick={() => setYear(year + 1)} />
      </div>
      <p className="quiet">{t('days.hint')}</p>
      <Year year={year} days={days} onDay={may ? (day) => setChanged(toggled(days, day)) : undefined} />
      <Table year={year} days={days} onDays={may ? setChanged : undefined} />
      {may && <Import onTaken={(taken) => { setChanged({ ...days, ...taken }); const first = Object.keys(taken).sort()[0]; if (first) setYear(Number(first.slice(0, 4))) }} />}
      <ProblemNote error={problem} />
      {may && (
        <div className="row">
          <Button type="primary" disabled={changed === null} onClick={() => void save()}>{t('verb.save')}</Button>
          {changed !== null && <Button onClick={() => setChanged(null)}>{t('verb.cancel')}</Button>}
          <span className="quiet" role="status">{t(changed === null ? 'days.kept' : 'days.unsaved', { n: Object.keys(days).length })}</span>
        </div>
      )}
    </section>
  )
}

/** One stop of the tabulator: arrows, Home, End and the page keys go from day to day. */
function Year({ year, days, onDay }: { year: number; days: Days; onDay: ((day: string) => void) | undefined }) {
  const month = new Intl.DateTimeFormat(language(), { month: 'long', timeZone: 'UTC' })
  const [at, setAt] = useState('')
  const today = new Date().toISOString().slice(0, 10)
  const stop = [at, today].find((day) => day.startsWith(`${year}-`)) ?? `${year}-01-01`
  const step = (event: KeyboardEvent<HTMLDivElement>) => {
    const next = steppedTo(stop, event.key)
    if (next === null || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    setAt(next)
    event.currentTarget.querySelector<HTMLElement>(`[data-day="${next}"]`)?.focus()
  }
  return (
    <div className="year" onKeyDown={step}>
      {monthsOf(year).map((dates, number) => (
        <div key={number} role="group" aria-label={month.format(Date.UTC(year, number, 1))}>
          <b>{month.format(Date.UTC(year, number, 1))}</b>
          <div className="month">
            {dates.map((day, place) => (day === null ? <span key={place} /> : <Day key={day} day={day} named={days[day]} stops={day === stop} onFocus={() => setAt(day)} onDay={onDay} />))}
          </div>
        </div>
      ))}
    </div>
  )
}

interface DayProps {
  day: string
  named: DayKind | undefined
  stops: boolean
  onFocus: () => void
  onDay: ((day: string) => void) | undefined
}

function Day({ day, named, stops, onFocus, onDay }: DayProps) {
  const kind = named ?? usualKind(day)
  const number = Number(day.slice(8))
  const told = t('days.of', { day, kind: t(`dayKind.${kind}`) })
  return (
    <button
      type="button" className={`day ${kind}${named ? ' named' : ''}`} aria-pressed={named !== undefined} disabled={!onDay} tabIndex={stops ? 0 : -1}
      data-day={day} aria-label={`${number}, ${told}`} title={told} onFocus={onFocus} onClick={() => onDay?.(day)}
    >
      {number}
    </button>
  )
}

function Table({ year, days, onDays }: { year: number; days: Days; onDays: ((days: Days) => void) | undefined }) {
  const shown = Object.entries(days).filter(([day]) => day.startsWith(`${year}-`)).sort(([one], [other]) => (one < other ? -1 : 1))
  const weekday = new Intl.DateTimeFormat(language(), { weekday: 'long', timeZone: 'UTC' })
  if (shown.length === 0) return <p className="quiet">{t('days.none')}</p>
  return (
    <ul className="special-days" aria-label={t('days.list', { year })}>
      {shown.map(([day, kind]) => (
        <li key={day} className="row">
          <span>{day}</span>
          <span className="quiet grow">{weekday.format(new Date(`${day}T00:00:00Z`))}</span>
          <Select<DayKind> size="small" value={kind} disabled={!onDays} style={{ width: 170 }} aria-label={day} options={DAY_KINDS.map((value) => ({ value, label: t(`dayKind.${value}`) }))} onChange={(value) => onDays?.({ ...days, [day]: value })} />
          {onDays && <Button size="small" aria-label={`${t('verb.delete')} ${day}`} onClick={() => onDays(Object.fromEntries(Object.entries(days).filter(([each]) => each !== day)))}>×</Button>}
        </li>
      ))}
    </ul>
  )
}

function Import({ onTaken }: { onTaken: (days: Days) => void }) {
  const [text, setText] = useState('')
  const [unread, setUnread] = useState<number[]>([])
  const take = () => {
    const found = readDays(text)
    setUnread(found.unread)
    if (Object.keys(found.days).length > 0) onTaken(found.days)
    if (found.unread.length === 0) setText('')
  }
  return (
    <details>
      <summary>{t('days.import')}</summary>
      <p className="quiet">{t('days.importHint')}</p>
      <Input.TextArea rows={6} className="mono" value={text} aria-label={t('days.import')} onChange={(event) => setText(event.target.value)} />
      {unread.length > 0 && <p role="alert">{t('days.unread', { lines: unread.join(', ') })}</p>}
      <div style={{ marginTop: 8 }}><Button disabled={!text.trim()} onClick={take}>{t('days.take')}</Button></div>
    </details>
  )
}
