import { Button, Input, type InputRef } from 'antd'
import { useEffect, useRef, useState } from 'react'
import type { Violation } from '../api/types'
import { useKeys } from '../app/keys'
import { ProblemNote } from '../parts/problem'
import { type Key, t } from '../words'
import { codeOf, type Decision, passed, REASONS, type VoidReason } from './desk'
import { Facts, kindWords, Lacks } from './facts'
import { type Queue, useDesk } from './useDesk'
import { PlateCrop, Views } from './views'

/** One candidate fills the screen; everything by keyboard. */
export function Review({ queue }: { queue: Queue }) {
  const desk = useDesk(queue)
  const { one } = desk
  if (desk.error && !one) return <ProblemNote error={desk.error} retry={() => void desk.fill()} />
  return (
    <div className="desk">
      {one ? <Judge key={one.id} one={one} queue={queue} onJudge={desk.judge} onSkip={desk.skip} onUndo={desk.undo} /> : <Nothing busy={desk.busy} onUndo={desk.undo} />}
      <div className="desk-foot">
        <span>{t('violation.left', { n: desk.left })}</span>
        {desk.hourly !== null && <span className="quiet">{t('violation.hourly', { n: desk.hourly })}</span>}
        <span className="grow" />
        {desk.last && (
          <span role="status">
            {(desk.last.decision.verdict === 'pass' && desk.last.decision.plate) || desk.last.one.plate || t('passage.unread')}: {desk.last.decision.verdict === 'pass' ? t(`violation.passed.${queue}` as Key) : t(`violation.reason.${desk.last.decision.reason}` as Key)}{' '}
            <Button size="small" onClick={desk.undo}>{t('violation.undo')} <kbd>U</kbd></Button>
          </span>
        )}
      </div>
    </div>
  )
}

function Nothing({ busy, onUndo }: { busy: boolean; onUndo: () => void }) {
  useKeys((event) => {
    if (event.key !== 'u' && event.key !== 'U') return false
    onUndo()
    return true
  })
  return <div className="empty">{!busy && <><h2>{t('violation.done')}</h2><span>{t('violation.doneHint')}</span></>}</div>
}

function Judge({ one, queue, onJudge, onSkip, onUndo }: { one: Violation; queue: Queue; onJudge: (decision: Decision) => void; onSkip: () => void; onUndo: () => void }) {
  const [plate, setPlate] = useState(one.plate)
  const [reason, setReason] = useState<VoidReason | null>(null)
  const [words, setWords] = useState('')
  const [code, setCode] = useState(one.code)
  const field = useRef<InputRef>(null)
  const codeField = useRef<InputRef>(null)
  const wordsField = useRef<InputRef>(null)
  const whole = plate.trim() !== '' && !/[?*]/.test(plate)
  // The plate is the only thing that a review can make good.
  const fit = one.unfit.every((each) => each === 'plate') && whole
  const pass = () => {
    if (fit) onJudge(passed(one, plate, code))
  }
  const discard = (why: VoidReason) => {
    if (why === 'other') setReason(why)
    else onJudge({ verdict: 'void', reason: why, words: '' })
  }
  useEffect(() => {
    if (reason) wordsField.current?.focus()
  }, [reason])
  useKeys((event) => {
    const number = '1234567890'.indexOf(event.key)
    if (event.repeat) return false
    if (event.key === 'Enter' || event.key === ' ') pass()
    else if (event.key.length === 1 && number >= 0) discard(REASONS[number]!)
    else if (event.key === 'u' || event.key === 'U') onUndo()
    else if (event.key === 'n' || event.key === 'N' || event.key === 'ArrowRight') onSkip()
    else if ((event.key === 'e' || event.key === 'E') && queue === 'first') field.current?.focus({ cursor: 'end' })
    else if ((event.key === 'c' || event.key === 'C') && queue === 'first') codeField.current?.focus()
    else return false
    return true
  })
  return (
    <div className="desk-work">
      <Views one={one} />
      <aside className="desk-side scroll">
        <h1>{kindWords(one)}</h1>
        <PlateCrop one={one} />
        {queue === 'first' ? (
          <Input
            ref={field} className="desk-plate" aria-label={t('watch.plate')} value={plate} maxLength={16} suffix={<kbd>E</kbd>} status={whole ? '' : 'warning'}
            onChange={(event) => setPlate(event.target.value.toUpperCase())} onKeyDown={(event) => (event.key === 'Escape' || event.key === 'Enter') && field.current?.blur()}
          />
        ) : <div className="desk-plate-text">{one.plate}{one.plate !== one.plate_read && <span className="quiet"> {t('violation.read', { plate: one.plate_read || t('passage.unread') })}</span>}</div>}
        {one.confidence !== null && <span className={one.confidence < 0.8 ? 'p3' : 'quiet'}>{t('passage.confidence')} {Math.round(one.confidence * 100)} %</span>}
        <Lacks one={one} />
        <Facts one={one} />
        {queue === 'first' && one.code === '' && (
          <Input
            ref={codeField} aria-label={t('violation.codeField')} placeholder={t('violation.codeField')} value={code} suffix={<kbd>C</kbd>}
            onChange={(event) => setCode(codeOf(event.target.value))} onKeyDown={(event) => (event.key === 'Escape' || event.key === 'Enter') && codeField.current?.blur()}
          />
        )}
        <Button type="primary" size="large" block disabled={!fit} onClick={pass}>{t(queue === 'first' ? 'violation.pass' : 'violation.confirm')} <kbd>Enter</kbd></Button>
        <div className="desk-reasons" role="group" aria-label={t('violation.makeVoid')}>
          <h2>{t('violation.makeVoid')}</h2>
          {REASONS.map((each, at) => (
            <Button key={each} size="small" className={each === reason ? 'on' : ''} onClick={() => discard(each)}><kbd>{(at + 1) % 10}</kbd> {t(`violation.reason.${each}` as Key)}</Button>
          ))}
        </div>
        {reason && (
          <Input
            ref={wordsField} aria-label={t('violation.words')} placeholder={t('violation.words')} value={words} maxLength={1000} onChange={(event) => setWords(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && words.trim()) onJudge({ verdict: 'void', reason, words: words.trim() })
              else if (event.key === 'Escape') setReason(null)
            }}
          />
        )}
        <div className="row"><Button size="small" onClick={onSkip}>{t('violation.skip')} <kbd>N</kbd></Button></div>
      </aside>
    </div>
  )
}
