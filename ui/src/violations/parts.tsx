import { DeleteOutlined } from '@ant-design/icons'
import { Button, Input, InputNumber, Select } from 'antd'
import type { ReactNode } from 'react'
import { t } from '../words'
import { changed, COLOURS, type Scene, type Turn, TURNS, without } from './drawing'

/** What is drawn, one row each: what the picture cannot say is said here. */
export function Parts({ scene, onChange }: { scene: Scene; onChange: (scene: Scene) => void }) {
  const turns = TURNS.map((value) => ({ value, label: t(`scene.turn.${value}`) }))
  return (
    <>
      {scene.lanes.map((lane, at) => (
        <Row key={`lane ${at}`} name={`${t('tollgate.lane')} ${lane.number}`} onRemove={() => onChange(without(scene, 'lanes', at))}>
          <div className="row">
            <InputNumber style={{ width: 64 }} min={1} max={99} value={lane.number} aria-label={t('tollgate.lane')} onChange={(number) => onChange(changed(scene, 'lanes', at, { number: number ?? 1 }))} />
            <Select<Turn[]> mode="multiple" style={{ flex: 1 }} aria-label={t('scene.turns')} value={lane.turns} options={turns} onChange={(value) => value.length > 0 && onChange(changed(scene, 'lanes', at, { turns: value }))} />
          </div>
          {TURNS.filter((turn) => lane.turns.includes(turn)).map((turn) => (
            <label key={turn} className="row"><span style={{ width: 96 }}>{t(`scene.turn.${turn}`)}</span><Input size="small" placeholder={t('scene.free')} value={lane.signals?.[turn] ?? ''} maxLength={40} onChange={(event) => onChange(changed(scene, 'lanes', at, { signals: signalled(lane.signals ?? {}, turn, event.target.value) }))} /></label>
          ))}
        </Row>
      ))}
      {scene.stop_lines.map((_, at) => <Row key={`stop ${at}`} name={t('scene.tool.stop_line')} onRemove={() => onChange(without(scene, 'stop_lines', at))} />)}
      {scene.solid_lines.map((_, at) => <Row key={`solid ${at}`} name={t('scene.tool.solid_line')} onRemove={() => onChange(without(scene, 'solid_lines', at))} />)}
      {scene.exits.map((exit, at) => (
        <Row key={`exit ${at}`} name={t('scene.tool.exit')} onRemove={() => onChange(without(scene, 'exits', at))}>
          <Select<Turn> style={{ width: '100%' }} aria-label={t('scene.tool.exit')} value={exit.turn} options={turns} onChange={(turn) => onChange(changed(scene, 'exits', at, { turn }))} />
        </Row>
      ))}
      {scene.zones.map((zone, at) => (
        <Row key={`zone ${at}`} name={t('scene.tool.zone')} onRemove={() => onChange(without(scene, 'zones', at))}>
          <div className="row">
            <Input value={zone.name} maxLength={100} aria-label={t('section.name')} onChange={(event) => onChange(changed(scene, 'zones', at, { name: event.target.value }))} />
            <InputNumber style={{ width: 110 }} min={10} max={86_400} suffix="s" value={zone.seconds} aria-label={t('scene.seconds')} onChange={(seconds) => onChange(changed(scene, 'zones', at, { seconds: seconds ?? 60 }))} />
          </div>
        </Row>
      ))}
      {scene.lamps.map((lamp, at) => (
        <Row key={`lamp ${at}`} name={t('scene.tool.lamp')} onRemove={() => onChange(without(scene, 'lamps', at))}>
          <Input value={lamp.signal} maxLength={40} aria-label={t('violation.light')} onChange={(event) => onChange(changed(scene, 'lamps', at, { signal: event.target.value.toLowerCase() }))} />
          <span className="quiet">{COLOURS.filter((colour) => lamp[colour]).map((colour) => t(`violation.light.${colour}`)).join(t('violation.and'))}</span>
        </Row>
      ))}
      {scene.calibration && <Measured of={scene.calibration} onChange={(calibration) => onChange({ ...scene, calibration })} />}
    </>
  )
}

const SIZES = [['width_m', 'scene.width_m', 1, 200], ['length_m', 'scene.length_m', 1, 200], ['camera_height_m', 'scene.camera_height_m', 2, 50]] as const

/** The rectangle that speeds are estimated by: what was measured on the road. */
function Measured({ of, onChange }: { of: NonNullable<Scene['calibration']>; onChange: (of: Scene['calibration']) => void }) {
  return (
    <Row name={t('scene.tool.measure')} onRemove={() => onChange(null)}>
      {SIZES.map(([size, words, least, most]) => (
        <label key={size} className="row"><span className="grow">{t(words)}</span><InputNumber style={{ width: 110 }} min={least} max={most} step={0.1} suffix="m" value={of[size] || null} onChange={(value) => onChange({ ...of, [size]: value ?? 0 })} /></label>
      ))}
      <span className="quiet">{t('scene.measureHint')}</span>
    </Row>
  )
}

function signalled(signals: Partial<Record<string, string>>, turn: Turn, name: string): Record<string, string> {
  const rest = Object.fromEntries(Object.entries(signals).filter(([each, value]) => each !== turn && value)) as Record<string, string>
  return name ? { ...rest, [turn]: name.toLowerCase() } : rest
}

function Row({ name, onRemove, children }: { name: string; onRemove: () => void; children?: ReactNode }) {
  return (
    <div className="column scene-part">
      <div className="row"><b className="grow">{name}</b><Button size="small" type="text" icon={<DeleteOutlined />} aria-label={`${t('section.remove')} ${name}`} onClick={onRemove} /></div>
      {children}
    </div>
  )
}
