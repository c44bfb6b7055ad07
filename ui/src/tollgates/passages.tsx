import { DownloadOutlined } from '@ant-design/icons'
import { AutoComplete, Button, Checkbox, Drawer, Form, Input, InputNumber, Segmented, Select } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { PlaceSelect } from '../admin/choose'
import { address, api } from '../api/client'
import { useMay } from '../api/session'
import type { Passage, Purpose } from '../api/types'
import { CaseButton } from '../cases/add'
import { changed } from '../parts/chosen'
import { usePages } from '../parts/pages'
import { ProblemNote } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { type Key, t } from '../words'
import { colour, kindOf, Picture, Plate, plateClasses, sources, vehicleClasses, When, Whole } from './passage'
import { FoundLine, FoundMap } from './found'
import { lookedAt, moment, useSearch, type Wish } from './search'
import { Vehicle } from './vehicle'

export const PURPOSES: readonly Purpose[] = ['traffic', 'security', 'maintenance']
export const COLOURS = ['black', 'white', 'grey', 'red', 'blue', 'yellow', 'orange', 'brown', 'green', 'purple', 'cyan', 'pink', 'other'] as const
const DIRECTIONS = ['west_east', 'east_west', 'north_south', 'south_north', 'southwest_northeast', 'northeast_southwest', 'northwest_southeast', 'southeast_northwest'] as const

type Filled = Omit<Wish, 'start' | 'end'> & { from?: string; to?: string }

/** Nothing is shown until somebody says what for: the search is written down with it. */
export function Passages() {
  const [query, setQuery] = useSearchParams()
  const [wish, setWish] = useState<{ wish: Wish; turn: number } | null>(null)
  const [wide, setWide] = useState(false)
  const gates = usePages(['tollgates'], 'tollgates')
  const colours = COLOURS.map((value) => ({ value, label: colour(value) }))
  return (
    <div className="column" style={{ height: '100%' }}>
      <Form<Filled> layout="inline" className="search-form" initialValues={{ purpose: 'traffic', plate: query.get('plate') ?? '', tollgate: query.get('tollgate') || undefined }}
        onFinish={({ from, to, ...filled }) => {
          setWish((old) => ({ wish: { ...filled, start: moment(from), end: moment(to) } as Wish, turn: (old?.turn ?? 0) + 1 }))
          setQuery({ tab: 'passages', ...(filled.plate ? { plate: filled.plate } : {}), ...(filled.tollgate ? { tollgate: filled.tollgate } : {}) })
        }}>
        <Form.Item name="purpose" label={t('tollgate.purposes')}><Select style={{ width: 130 }} options={PURPOSES.map((value) => ({ value, label: t(`purpose.${value}` as Key) }))} /></Form.Item>
        <Form.Item name="plate" label={t('passage.plate')} tooltip={t('passage.plateHint')}><Input maxLength={20} allowClear className="mono" style={{ width: 140 }} /></Form.Item>
        <Form.Item name="near" valuePropName="checked" tooltip={t('search.nearHint')}><Checkbox title={t('search.nearHint')}>{t('search.near')}</Checkbox></Form.Item>
        <Form.Item name="tollgate" label={t('page.tollgates')}><Select allowClear showSearch optionFilterProp="label" style={{ width: 180 }} options={gates.rows.map((gate) => ({ value: gate.id, label: gate.name }))} /></Form.Item>
        <Form.Item name="reason" label={t('audit.reason')}><Input maxLength={200} style={{ width: 160 }} /></Form.Item>
        <Button type="text" aria-expanded={wide} onClick={() => setWide(!wide)}>{t('search.more')}</Button>
        <Button type="primary" htmlType="submit">{t('passage.look')}</Button>
        <div className="search-form" style={{ display: wide ? undefined : 'none', width: '100%' }}>
          <Form.Item name="from" label={t('search.from')}><input type="datetime-local" className="plain-input" aria-label={t('search.from')} /></Form.Item>
          <Form.Item name="to" label={t('search.to')}><input type="datetime-local" className="plain-input" aria-label={t('search.to')} /></Form.Item>
          <Form.Item name="area" label={t('word.area')} style={{ width: 240 }}><PlaceSelect what="areas" /></Form.Item>
          <Form.Item name="colour" label={t('search.bodyColour')}><Select allowClear placeholder={t('search.any')} style={{ width: 100 }} options={colours} /></Form.Item>
          <Form.Item name="plate_colour" label={t('search.plateColour')}><Select allowClear placeholder={t('search.any')} style={{ width: 100 }} options={colours} /></Form.Item>
          <Form.Item name="plate_class" label={t('search.plateClass')}><Select allowClear showSearch optionFilterProp="label" placeholder={t('search.any')} style={{ width: 170 }} options={plateClasses()} /></Form.Item>
          <Form.Item name="vehicle_class" label={t('search.kind')} tooltip={t('search.kindHint')}><AutoComplete allowClear placeholder={t('search.any')} style={{ width: 150 }} popupMatchSelectWidth={220} options={vehicleClasses()}><Input maxLength={10} /></AutoComplete></Form.Item>
          <Form.Item name="direction" label={t('search.direction')}><Select allowClear placeholder={t('search.any')} style={{ width: 150 }} options={DIRECTIONS.map((value) => ({ value, label: t(`tollgate.direction.${value}`) }))} /></Form.Item>
          <Form.Item name="lane" label={t('search.lane')}><InputNumber min={1} max={99} style={{ width: 64 }} /></Form.Item>
        </div>
      </Form>
      {wish ? <Found wish={wish.wish} turn={wish.turn} /> : <div className="empty">{t('passage.logged')}</div>}
    </div>
  )
}

type Shown = 'table' | 'sheet' | 'map' | 'line'

function Found({ wish, turn }: { wish: Wish; turn: number }) {
  const list = useSearch(wish, turn)
  const [open, setOpen] = useState<Passage | null>(null)
  const [route, setRoute] = useState<string | null>(null)
  const [sheet, setSheet] = useState<Shown>('table')
  const purpose = wish.purpose
  const mayCase = useMay('case.write')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const intoCase = ({ path, words }: { path: string; words: string }) => {
    // What for is the case's own, and why is said with it.
    const asked = Object.fromEntries(Object.entries(wish).filter(([name, value]) => !['purpose', 'reason'].includes(name) && value !== undefined && value !== null))
    return api.post('cases/{case}/passages', { path: { case: path }, body: { ...asked, chosen: [...chosen], words }, once: true }).then(() => setChosen(new Set()))
  }
  const columns: Column<Passage>[] = [
    ...(mayCase ? [{ key: 'choose', title: '', width: '36px', cell: (row: Passage) => <span onClick={(event) => event.stopPropagation()}><Checkbox checked={chosen.has(row.id)} disabled={!chosen.has(row.id) && chosen.size >= 100} aria-label={`${t('case.add')} ${row.plate}`} onChange={(event) => setChosen(changed(chosen, row.id, event.target.checked))} /></span> }] : []),
    { key: 'picture', title: t('passage.picture'), width: '112px', cell: (row) => (row.pictures > 0 ? <Picture passage={row.id} number={0} purpose={purpose} /> : null) },
    { key: 'at', title: t('word.time'), width: '170px', cell: (row) => <When row={row} />, value: (row) => row.at },
    { key: 'plate', title: t('passage.plate'), width: 'minmax(130px, 1fr)', cell: (row) => <Plate row={row} />, value: (row) => row.plate },
    { key: 'gate', title: t('page.tollgates'), width: 'minmax(140px, 2fr)', cell: (row) => row.tollgate_name || row.device || '–', value: (row) => row.tollgate_name },
    { key: 'lane', title: t('tollgate.lane'), width: '70px', end: true, cell: (row) => row.lane ?? '–', value: (row) => row.lane ?? 0 },
    { key: 'speed', title: t('passage.speed'), width: '110px', end: true, cell: (row) => (row.speed_kmh === null ? '–' : Math.round(row.speed_kmh)), value: (row) => row.speed_kmh ?? 0 },
    { key: 'colour', title: t('passage.colour'), width: 'minmax(80px, 1fr)', cell: (row) => colour(row.colour), value: (row) => colour(row.colour) },
    { key: 'kind', title: t('search.kind'), width: 'minmax(130px, 1fr)', cell: (row) => <span title={row.vehicle_class || row.plate_class}>{kindOf(row)}</span>, value: kindOf },
    { key: 'sources', title: t('passage.sources'), width: 'minmax(110px, 1fr)', cell: sources, value: sources },
  ]
  if (list.error) return <ProblemNote error={list.error} retry={list.refetch} />
  return (
    <>
      <div className="row wrap">
        <Segmented<Shown> value={sheet} onChange={setSheet} options={[{ value: 'table', label: t('search.table') }, { value: 'sheet', label: t('search.sheet') }, { value: 'map', label: t('search.map') }, { value: 'line', label: t('search.line') }]} />
        <span className="quiet">{looked(list.looked)}</span>
        {list.more && <Button size="small" loading={list.busy} onClick={list.more}>{t('search.further')}</Button>}
        <span className="grow" />
        <CaseButton purpose={purpose} n={chosen.size} send={(path, words) => intoCase({ path, words })} />
        <Button size="small" icon={<DownloadOutlined />} href={address('passages.csv', { query: wish })} download="passages.csv">{t('search.csv')}</Button>
      </div>
      <div style={{ flex: 1, minHeight: 0 }}>
        {sheet === 'sheet' ? <Sheet rows={list.rows} purpose={purpose} onOpen={setOpen} /> : sheet === 'map' ? <FoundMap passages={list.rows} /> : sheet === 'line' ? <FoundLine rows={list.rows} onOpen={setOpen} /> : (
          <Table
            name={t('passage.title')} rows={list.rows} columns={columns} id={(row) => row.id} rowHeight={64} loading={list.loading} onOpen={setOpen}
            card={{
              height: 84,
              body: (row) => (
                <div className="row" style={{ alignItems: 'flex-start' }}>
                  {row.pictures > 0 && <Picture passage={row.id} number={0} purpose={purpose} />}
                  <div className="card-lines">
                    <div><b className="clip grow"><Plate row={row} /></b></div>
                    <div><span className="clip">{row.tollgate_name || '–'}</span></div>
                    <div className="quiet"><When row={row} /></div>
                  </div>
                </div>
              ),
            }}
            {...(list.more ? { more: list.more } : {})} empty={<div className="empty">{t('passage.none')}</div>}
          />
        )}
      </div>
      <Drawer open={open !== null} onClose={() => setOpen(null)} size="large" title={open ? open.plate || t('passage.unread') : ''} destroyOnHidden
        extra={open?.plate && !open.plate.includes('?') ? <Button onClick={() => setRoute(open.plate)}>{t('vehicle.route')}</Button> : null}>
        {open && <Whole passage={open.id} purpose={purpose} />}
      </Drawer>
      <Drawer open={route !== null} onClose={() => setRoute(null)} size="large" title={route ?? ''} destroyOnHidden>
        {route && <Vehicle plate={route} wish={wish} />}
      </Drawer>
    </>
  )
}

function looked({ plates, passages, backTo }: { plates: number; passages: number; backTo: string | null }): string {
  if (plates > 0) return t('search.lookedPlates', { n: plates.toLocaleString() })
  if (passages === 0) return ''
  return lookedAt({ passages, back_to: backTo })
}

/** Many pictures at a glance: for who knows the vehicle and not its plate. */
function Sheet({ rows, purpose, onOpen }: { rows: Passage[]; purpose: Purpose; onOpen: (row: Passage) => void }) {
  const shown = rows.filter((row) => row.pictures > 0)
  if (shown.length === 0) return <div className="empty">{t('passage.none')}</div>
  return (
    <div className="picture-sheet">
      {shown.map((row) => (
        <button key={row.id} type="button" className="picture-card" onClick={() => onOpen(row)}>
          <Picture passage={row.id} number={0} purpose={purpose} large />
          <span className="row"><Plate row={row} /></span>
          <span className="quiet clip">{row.tollgate_name || '–'}</span>
          <span className="quiet"><When row={row} /></span>
        </button>
      ))}
    </div>
  )
}
