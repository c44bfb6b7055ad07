// The week as a grid of hours: spans of minutes in and out.

import { useRef } from 'react'
import type { Span } from '../api/types'
import { language, t } from '../words'

export type Hours = boolean[]

export function hoursOf(spans: Span[]): Hours {
  const hours = Array.from({ length: 168 }, () => false)
  for (const span of spans) {
    for (let hour = Math.floor(span.start_minute / 60); hour * 60 < span.end_minute; hour += 1) hours[span.weekday * 24 + hour] = true
  }
  return hours
}

export function spansOf(hours: Hours): Span[] {
  const spans: Span[] = []
  for (let weekday = 0; weekday < 7; weekday += 1) {
    for (let hour = 0; hour < 24; hour += 1) {
      if (!hours[weekday * 24 + hour]) continue
      const last = spans.at(-1)
      if (last && last.weekday === weekday && last.end_minute === hour * 60) last.end_minute += 60
      else spans.push({ weekday, start_minute: hour * 60, end_minute: hour * 60 + 60 })
    }
  }
  return spans
}

export function Week({ value = [], onChange }: { value?: Span[]; onChange?: (spans: Span[]) => void }) {
  const painting = useRef<boolean | null>(null)
  const hours = hoursOf(value)
  const paint = (index: number, on: boolean) => {
    if (hours[index] === on) return
    const next = [...hours]
    next[index] = on
    onChange?.(spansOf(next))
  }
  const names = Array.from({ length: 7 }, (_, index) => new Intl.DateTimeFormat(language(), { weekday: 'short', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, 0, 1 + index))))
  return (
    <div>
      <p className="quiet">{t('channel.schedule')}</p>
      <div className="grid-week" role="group" aria-label={t('channel.schedule')} onPointerUp={() => (painting.current = null)} onPointerLeave={() => (painting.current = null)}>
        <span />
        {Array.from({ length: 24 }, (_, hour) => <span key={hour}>{hour % 3 === 0 ? hour : ''}</span>)}
        {names.map((name, weekday) => [
          <span key={name}>{name}</span>,
          ...Array.from({ length: 24 }, (_, hour) => {
            const index = weekday * 24 + hour
            return (
              <button
                key={index} type="button" aria-pressed={hours[index]} aria-label={`${name} ${hour}:00`}
                onPointerDown={(event) => {
                  event.currentTarget.releasePointerCapture(event.pointerId)
                  painting.current = !hours[index]
                  paint(index, !hours[index])
                }}
                onPointerEnter={() => painting.current !== null && paint(index, painting.current)}
                onKeyDown={(event) => {
                  if (event.key !== 'Enter' && event.key !== ' ') return
                  event.preventDefault()
                  paint(index, !hours[index])
                }}
              />
            )
          }),
        ])}
      </div>
    </div>
  )
}
