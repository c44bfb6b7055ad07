// A table of any length: only the visible rows are in the page. Sort, filter, choose columns, export.

import { DownloadOutlined, UnorderedListOutlined } from '@ant-design/icons'
import { useVirtualizer } from '@tanstack/react-virtual'
import { Checkbox, Popover } from 'antd'
import { type ReactNode, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { t, useLanguage } from '../words'
import { saveBlob } from './save'

export interface Column<T> {
  key: string
  title: string
  /** A track of CSS grid: `120px`, `minmax(160px, 2fr)`. */
  width: string
  cell: (row: T) => ReactNode
  /** What it sorts by and exports; without it the column does neither. */
  value?: (row: T) => string | number
  end?: boolean
  /** Not shown unless chosen. */
  spare?: boolean
}

interface TableProps<T> {
  name: string
  rows: T[]
  columns: Column<T>[]
  id: (row: T) => string
  onOpen?: (row: T) => void
  chosen?: string | null
  rowHeight?: number
  tools?: ReactNode
  empty?: ReactNode
  more?: () => void
  loading?: boolean
  filter?: boolean
  /** On a phone each row is a card of this height instead of a line that runs off the screen. */
  card?: { height: number; body: (row: T) => ReactNode }
}

export function Table<T>({ name, rows, columns, id, onOpen, chosen, rowHeight = 28, tools, empty, more, loading, filter = true, card }: TableProps<T>) {
  useLanguage()
  const [sort, setSort] = useState<{ key: string; down: boolean } | null>(null)
  const [hidden, setHidden] = useState<ReadonlySet<string>>(() => new Set(columns.filter((each) => each.spare).map((each) => each.key)))
  const [text, setText] = useState('')
  const box = useRef<HTMLDivElement>(null)
  const narrow = useNarrow()
  const cards = narrow ? card : undefined
  const height = cards?.height ?? rowHeight
  const shown = columns.filter((each) => !hidden.has(each.key))
  const sorted = useMemo(() => arrange(rows, columns, sort, text), [rows, columns, sort, text])
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer is meant to change under React
  const virtual = useVirtualizer({ count: sorted.length, getScrollElement: () => box.current, estimateSize: () => height, overscan: 10 })
  useEffect(() => virtual.measure(), [virtual, height])
  const visible = virtual.getVirtualItems()
  const last = visible.at(-1)?.index ?? 0
  useEffect(() => {
    if (more && last >= sorted.length - 20 && !text) more()
  }, [more, last, sorted.length, text])
  const tracks = shown.map((each) => each.width).join(' ')
  // The sum of what the columns need at least; the content itself must not widen a table beyond its page.
  const least = shown.reduce((sum, each) => sum + Number(/\d+/.exec(each.width)?.[0] ?? 0), 0)
  const order = (column: Column<T>) => {
    if (column.value) setSort((now) => (now?.key !== column.key ? { key: column.key, down: false } : now.down ? null : { key: column.key, down: true }))
  }
  return (
    <div className="table">
      <div className="table-tools">
        {filter && <input className="plain-input" placeholder={t('verb.filter')} aria-label={t('verb.filter')} value={text} onChange={(event) => setText(event.target.value)} />}
        {tools}
        <span className="grow" />
        {!cards && <Popover trigger="click" content={<Chooser columns={columns} hidden={hidden} onChange={setHidden} />}>
          <button type="button" className="plain-button" aria-label={t('verb.columns')} title={t('verb.columns')}><UnorderedListOutlined /></button>
        </Popover>}
        <button type="button" className="plain-button" aria-label={t('verb.exportTable')} title={t('verb.exportTable')} onClick={() => exportCsv(name, sorted, shown)}><DownloadOutlined /></button>
      </div>
      <div className="table-scroll" ref={box} role="table" aria-label={name} aria-rowcount={sorted.length + 1} tabIndex={0}>
        <div role="rowgroup" style={{ display: cards ? 'none' : 'contents' }}>
        <div className="table-head" role="row" style={{ gridTemplateColumns: tracks, minWidth: least }}>
          {shown.map((each) =>
            each.value ? (
              <button key={each.key} type="button" role="columnheader" title={each.title} className={each.end ? 'end' : ''} aria-sort={sort?.key === each.key ? (sort.down ? 'descending' : 'ascending') : 'none'} onClick={() => order(each)}>
                <span className="clip">{each.title}</span>{sort?.key === each.key ? (sort.down ? ' ↓' : ' ↑') : ''}
              </button>
            ) : (
              <span key={each.key} role="columnheader" className={each.end ? 'end' : ''}>{each.title}</span>
            ),
          )}
        </div>
        </div>
        {sorted.length === 0 && !loading ? (
          <div role="rowgroup"><div role="row"><div role="cell">{empty ?? <div className="empty">{t('word.empty')}</div>}</div></div></div>
        ) : (
          <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {visible.map((item) => {
              const row = sorted[item.index]!
              return (
                <div
                  key={id(row)} role="row" aria-rowindex={item.index + 2} className={`${cards ? 'table-card' : 'table-row'} ${id(row) === chosen ? 'chosen' : ''}`}
                  style={{ ...(cards ? {} : { gridTemplateColumns: tracks, minWidth: least }), transform: `translateY(${item.start}px)`, height, cursor: onOpen ? 'pointer' : undefined }}
                  onClick={onOpen ? () => onOpen(row) : undefined}
                >
                  {cards
                    ? <div role="cell">{cards.body(row)}</div>
                    : shown.map((each) => <div key={each.key} role="cell" className={each.end ? 'end' : ''}>{each.cell(row)}</div>)}
                </div>
              )
            })}
          </div>
        )}
      </div>
      <div className="table-foot">{loading ? t('word.loading') : t(more ? 'word.countMore' : 'word.count', { n: sorted.length })}</div>
    </div>
  )
}

const NARROW = window.matchMedia?.('(max-width: 760px)')

function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      NARROW?.addEventListener('change', listener)
      return () => NARROW?.removeEventListener('change', listener)
    },
    () => NARROW?.matches ?? false,
  )
}

function arrange<T>(rows: T[], columns: Column<T>[], sort: { key: string; down: boolean } | null, text: string): T[] {
  const wanted = text.trim().toLowerCase()
  const found = wanted ? rows.filter((row) => columns.some((each) => each.value && String(each.value(row)).toLowerCase().includes(wanted))) : rows
  const by = columns.find((each) => each.key === sort?.key)?.value
  if (!by || !sort) return found
  const sign = sort.down ? -1 : 1
  return [...found].sort((a, b) => {
    const [x, y] = [by(a), by(b)]
    return sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true }))
  })
}

function Chooser<T>({ columns, hidden, onChange }: { columns: Column<T>[]; hidden: ReadonlySet<string>; onChange: (hidden: ReadonlySet<string>) => void }) {
  return (
    <div className="column">
      {columns.map((each) => (
        <Checkbox
          key={each.key} checked={!hidden.has(each.key)}
          onChange={(event) => {
            const next = new Set(hidden)
            if (event.target.checked) next.delete(each.key)
            else next.add(each.key)
            onChange(next)
          }}
        >
          {each.title}
        </Checkbox>
      ))}
    </div>
  )
}

// A name that begins with = + - @ would be a formula in a spreadsheet: device names come from strangers.
export function csvCell(value: string | number): string {
  const text = typeof value === 'number' ? String(value) : /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function exportCsv<T>(name: string, rows: T[], columns: Column<T>[]): void {
  const used = columns.filter((each) => each.value)
  saveCsv(name, [used.map((each) => each.title), ...rows.map((row) => used.map((each) => each.value!(row)))])
}

/** Rows as a table for a spreadsheet, the titles first. */
export function saveCsv(name: string, rows: (string | number)[][]): void {
  const lines = rows.map((row) => row.map(csvCell).join(','))
  saveBlob(new Blob(['\ufeff', lines.join('\r\n')], { type: 'text/csv' }), `${name}.csv`)
}
