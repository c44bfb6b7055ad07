import { LeftOutlined, RightOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { dayStart, iso, offsetMinutes } from '../parts/times'
import { language, t, useLanguage } from '../words'

const DAY = 86400e6

interface Month {
  year: number
  /** 0 is January. */
  month: number
}

function local(at: number): Date {
  return new Date(at / 1000 + offsetMinutes(at) * 60000)
}

function startOf(month: Month): number {
  const guess = Date.UTC(month.year, month.month, 1) * 1000
  return guess - offsetMinutes(guess) * 60e6
}

/** A month whose days with footage stand out. */
export function Calendar({ channel, at, onPick }: { channel: string | undefined; at: number; onPick: (day: number) => void }) {
  useLanguage()
  const shown = local(at)
  const [month, setMonth] = useState<Month>({ year: shown.getUTCFullYear(), month: shown.getUTCMonth() })
  const start = startOf(month)
  const end = startOf({ year: month.year, month: month.month + 1 })
  const { data } = useQuery({
    queryKey: ['days', channel, start],
    queryFn: ({ signal }) =>
      api.get('channels/{channel}/days', { path: { channel: channel ?? '' }, query: { start: iso(start), end: iso(end), offset_minutes: offsetMinutes(start) }, signal }),
    enabled: channel !== undefined,
    staleTime: 60_000,
  })
  const days = new Set((data?.days ?? []).map((each) => dayStart(each + 1)))
  const lead = (local(start).getUTCDay() + 6) % 7
  const count = Math.round((end - start) / DAY)
  const title = new Intl.DateTimeFormat(language(), { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(month.year, month.month, 15)))
  const names = Array.from({ length: 7 }, (_, index) => new Intl.DateTimeFormat(language(), { weekday: 'narrow', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, 0, 1 + index))))
  const turn = (by: number) => setMonth((now) => {
    const next = new Date(Date.UTC(now.year, now.month + by, 1))
    return { year: next.getUTCFullYear(), month: next.getUTCMonth() }
  })
  return (
    <div className="calendar">
      <div className="row">
        <button type="button" className="plain-button" aria-label={t('play.monthBefore')} onClick={() => turn(-1)}><LeftOutlined /></button>
        <b className="grow" style={{ textAlign: 'center' }}>{title}</b>
        <button type="button" className="plain-button" aria-label={t('play.monthAfter')} onClick={() => turn(1)}><RightOutlined /></button>
      </div>
      <div className="calendar-days">
        {names.map((name, index) => <span key={index} className="quiet">{name}</span>)}
        {Array.from({ length: lead }, (_, index) => <span key={`lead ${index}`} />)}
        {Array.from({ length: count }, (_, index) => {
          const day = dayStart(start + index * DAY + DAY / 2)
          const has = days.has(day)
          return (
            <button
              key={day} type="button" className={`plain-button ${has ? 'has' : ''}`} aria-pressed={day === dayStart(at)}
              aria-label={`${index + 1}${has ? ` ${t('play.hasFootage')}` : ''}`} onClick={() => onPick(day)}
            >
              {index + 1}
            </button>
          )
        })}
      </div>
    </div>
  )
}
