import { colour, plateClass, vehicleClass } from '../tollgates/passage'
import { type Key, maybe, t } from '../words'

/** What of a question is said with its entry; its time and places are said with what it looked at. */
const ASKED: Record<string, Key> = {
  plate: 'passage.plate', near: 'search.near', plate_colour: 'search.plateColour', plate_class: 'search.plateClass', colour: 'search.bodyColour', vehicle_class: 'search.kind',
  direction: 'search.direction', lane: 'search.lane', kind: 'word.kind', states: 'word.state', sensitivity: 'movement.sensitivity', precise: 'movement.precise',
  state: 'word.state', priority: 'alarm.priority', times: 'vehicle.times', least_places: 'vehicle.places', seconds: 'vehicle.within', kmh: 'vehicle.fastest',
}

/** Values that are codes of the platform, in words. */
const CODES: Record<string, (code: string) => string | null> = {
  plate_colour: colour, plate_class: plateClass, colour, vehicle_class: vehicleClass,
  direction: (code) => maybe(`tollgate.direction.${code}`),
  kind: (code) => maybe(`violation.kind.${code}`),
  states: (codes) => codes.split(' ').map((code) => maybe(`violation.state.${code}`) ?? code).join(', '),
  sensitivity: (code) => maybe(`movement.${code}`),
  state: (code) => maybe(`alarm.state.${code}`),
}

/** A question of a search, in one line. */
export function askedWords(question: Record<string, unknown>): string {
  const said = (name: string, value: unknown) => (value === true ? t('word.yes') : CODES[name]?.(String(value)) ?? String(value))
  return Object.entries(question).flatMap(([name, value]) => (name in ASKED ? [`${t(ASKED[name]!)}: ${said(name, value)}`] : [])).join(' · ')
}
