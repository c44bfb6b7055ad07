import { Button, Input } from 'antd'
import { type ReactNode, useState } from 'react'
import { ProblemNote } from '../parts/problem'
import { read } from '../traffic/view'
import { t } from '../words'

interface Props {
  /** None where it stands among other things. */
  title?: string
  /** On the button that sends it. */
  verb: string
  /** Whether all is there that it needs. */
  ready: boolean
  onSend: () => Promise<unknown>
  onDone: () => void
  children: ReactNode
}

/** Beside the map: what something is and where it stands. What goes wrong stands in it, and what was typed stays. */
export function DutyForm({ title, verb, ready, onSend, onDone, children }: Props) {
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const send = async () => {
    if (!ready) return
    setBusy(true)
    try {
      await onSend()
    } catch (error) {
      setProblem(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form
      className={title ? 'traffic-panel duty-form' : 'duty-form'}
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      {title && <h2>{title}</h2>}
      {children}
      {problem !== null && <ProblemNote error={problem} />}
      <div className="row">
        <Button type="primary" htmlType="submit" loading={busy} disabled={!ready}>{verb}</Button>
        <Button onClick={onDone}>{t('verb.cancel')}</Button>
      </div>
    </form>
  )
}

/** Typed, or written by a click on the map. */
export function PlaceField({ place, onPlace }: { place: string; onPlace: (text: string) => void }) {
  return <label>{t('sign.place')}<Input value={place} placeholder="118.37, 31.33" {...(place && !read(place) ? { status: 'error' as const } : {})} onChange={(event) => onPlace(event.target.value)} aria-label={t('sign.place')} /></label>
}
