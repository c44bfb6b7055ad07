import { useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Case, CaseEntry, CaseResult } from '../api/types'
import { ExportDialog } from '../playback/export'
import { clock, span, stamp, toUs } from '../parts/times'
import { maybe, t } from '../words'
import { askedWords } from './asked'
import { Picture } from './views'

interface TimelineProps {
  one: Case & { writable: boolean }
  entries: CaseEntry[]
  more: (() => void) | undefined
  onProblem: (problem: unknown) => void
}

/** What was put in, newest first, with what each search looked at. */
export function Timeline({ one, entries, more, onProblem }: TimelineProps) {
  if (entries.length === 0) return <div className="empty">{t('case.empty')}</div>
  return (
    <ol className="case-line">
      {entries.map((entry) => <li key={entry.id} className="panel column"><Entry one={one} entry={entry} onProblem={onProblem} /></li>)}
      {more && <li><Button size="small" onClick={more}>{t('search.further')}</Button></li>}
    </ol>
  )
}

/** What passages mean together, where that was asked. */
const meant = ({ question }: CaseEntry) => {
  const what = String(question['what'])
  const words = maybe(`case.what.${what}`)
  return words ? ` · ${words}` : ''
}

function Entry({ one, entry, onProblem }: { one: TimelineProps['one']; entry: CaseEntry; onProblem: (problem: unknown) => void }) {
  const queries = useQueryClient()
  const { modal } = App.useApp()
  const takeOut = () => modal.confirm({
    title: t('case.takeOutTitle'), content: t('case.takeOutHint'), okText: t('case.takeOut'), okButtonProps: { danger: true }, cancelText: t('verb.cancel'),
    onOk: () => api.remove('cases/{case}/entries/{entry}', { path: { case: one.id, entry: entry.id } }).then(() => queries.invalidateQueries({ queryKey: ['cases'] })).catch(onProblem),
  })
  return (
    <>
      <div className="row wrap">
        <b>{t(`case.entry.${entry.kind}`)}{entry.stock && ` ${t(`case.stock.${entry.stock}`)}`}{meant(entry)}</b>
        <span className="quiet">{entry.by_name} · {stamp(entry.at)}</span>
        <span className="grow" />
        {one.writable && <Button size="small" type="text" onClick={takeOut}>{t('case.takeOut')}</Button>}
      </div>
      {entry.words && <p className="case-words">{entry.words}</p>}
      {entry.looked && <Looked entry={entry} looked={entry.looked} />}
      {entry.results.length > 0 && <ul className="case-results">{entry.results.map((each) => <li key={each.id}><ResultLine one={one} result={each} /></li>)}</ul>}
      {entry.withheld > 0 && <p className="p3">▲ {t('case.withheld', { n: entry.withheld })}</p>}
    </>
  )
}

function Looked({ entry, looked }: { entry: CaseEntry; looked: NonNullable<CaseEntry['looked']> }) {
  const asked = askedWords(entry.question)
  const until = looked.until ? stamp(looked.until) : ''
  const count = (n: number, more: boolean) => `${n.toLocaleString()}${more ? '+' : ''}`
  const parts = [
    looked.since ? t('case.looked.time', { since: stamp(looked.since), until }) : t('case.looked.ever', { until }),
    ...(looked.stock > 0 ? [t('case.looked.stock', { n: count(looked.stock, looked.stock_more) })] : []),
    ...(looked.oldest ? [t('case.looked.oldest', { at: stamp(looked.oldest) })] : []),
    ...(looked.frames > 0 ? [t('case.looked.frames', { n: looked.frames.toLocaleString(), names: looked.names.join(', ') })] : looked.places > 0 ? [t('case.looked.places', { n: looked.places, names: looked.names.join(', ') })] : []),
    ...(looked.dismissed > 0 ? [t('movement.dismissed', { n: looked.dismissed })] : []),
    ...(looked.missing_us >= 1e6 ? [t('case.looked.missing', { span: span(looked.missing_us / 1e6) })] : []),
    ...(looked.first_seen ? [t('case.looked.firstSeen', { at: stamp(looked.first_seen) })] : []),
    ...(looked.stays > 0 ? [t('case.looked.stays', { n: looked.stays })] : []),
    ...(looked.impossible > 0 ? [t('case.looked.impossible', { n: looked.impossible })] : []),
    ...(looked.reported ? [t('case.looked.reported')] : [t('case.looked.found', { n: count(looked.found, looked.more) })]),
  ]
  return (
    <dl className="facts">
      {asked && <><dt>{t('case.asked')}</dt><dd>{asked}</dd></>}
      <dt>{t('case.lookedAt')}</dt><dd>{parts.join(' · ')}</dd>
    </dl>
  )
}

/** What a passage was found for, in words. */
function finding({ details }: CaseResult): string {
  const seconds = Number(details['seconds'] ?? 0)
  const said = { span: span(Math.abs(seconds)), km: Number(details['km'] ?? 0).toFixed(1), with: String(details['with'] ?? ''), side: t(seconds < 0 ? 'case.found.before' : 'case.found.after') }
  const found = String(details['finding'])
  return maybe(`case.found.${found}`, said) ?? ''
}

function ResultLine({ one, result }: { one: Case; result: CaseResult }) {
  const [exporting, setExporting] = useState(false)
  const mayExport = useMay('export.make')
  const stretch = result.kind === 'stretch' && result.channel !== null && result.until !== null
  return (
    <>
      {result.pictures.length > 0 && <Picture one={one} result={result} number={0} />}
      <span className="column grow" style={{ gap: 2 }}>
        <span className="row wrap">
          <span>{t(`case.result.${result.kind}`)}</span>
          {result.plate && <b className="mono">{result.plate}</b>}
          <span>{result.place_name || '–'}</span>
        </span>
        {finding(result) && <span className={result.details['finding'] === 'leg' || result.details['finding'] === 'met' ? 'quiet' : 'p3'}>{finding(result)}</span>}
        <span className="quiet">{stamp(result.at)}{result.until && ` – ${clock(result.until)} · ${span((toUs(result.until) - toUs(result.at)) / 1e6)}`}</span>
      </span>
      {stretch && <span className={result.held ? 'quiet' : 'p3'}>{result.held ? t('case.held') : `▲ ${t('case.unheld')}`}</span>}
      {stretch && <Link to={`/playback?channels=${result.channel!}&at=${toUs(result.at)}`}>{t('case.play')}</Link>}
      {stretch && mayExport && <Button size="small" onClick={() => setExporting(true)}>{t('case.evidence')}</Button>}
      {exporting && <ExportDialog channels={[{ id: result.channel!, name: result.place_name }]} start={toUs(result.at)} end={toUs(result.until!)} reason={one.number} onClose={() => setExporting(false)} />}
    </>
  )
}
