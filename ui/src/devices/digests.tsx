import { ArrowDownOutlined, ArrowUpOutlined } from '@ant-design/icons'
import { Checkbox } from 'antd'
import { Tool } from '../live/tools'
import { t } from '../words'

const ALL = ['MD5', 'SHA-256', 'SM3'] as const
export type Digest = (typeof ALL)[number]

interface DigestsProps {
  id?: string
  value?: Digest[]
  onChange?: (value: Digest[]) => void
  /** What is offered where none is chosen. */
  otherwise?: readonly string[] | undefined
  label: string
  disabled?: boolean
}

/** Which digests are offered, in which order. */
export function Digests({ id, value = [], onChange, otherwise, label, disabled = false }: DigestsProps) {
  const rows: Digest[] = [...value, ...ALL.filter((each) => !value.includes(each))]
  const set = (next: Digest[]) => onChange?.(next)
  const toggle = (name: Digest, on: boolean) => set(on ? [...value, name] : value.filter((each) => each !== name))
  const move = (place: number, by: 1 | -1) => {
    const next = [...value]
    const [taken] = next.splice(place, 1)
    next.splice(place + by, 0, taken!)
    set(next)
  }
  return (
    <div id={id} role="group" aria-label={label} className="digests">
      {rows.map((name) => {
        const place = value.indexOf(name)
        return (
          <div key={name} className="row">
            <span className="quiet right" style={{ width: 16 }}>{place < 0 ? '' : `${place + 1}.`}</span>
            <Checkbox checked={place >= 0} disabled={disabled} onChange={(event) => toggle(name, event.target.checked)}>{name}</Checkbox>
            <span className="grow" />
            <Tool words={t('digest.up', { name })} disabled={disabled || place < 1} onClick={() => move(place, -1)}><ArrowUpOutlined /></Tool>
            <Tool words={t('digest.down', { name })} disabled={disabled || place < 0 || place === value.length - 1} onClick={() => move(place, 1)}><ArrowDownOutlined /></Tool>
          </div>
        )
      })}
      {value.length === 0 && otherwise && <p className="quiet">{t('digest.otherwise', { names: otherwise.join(', ') })}</p>}
    </div>
  )
}
