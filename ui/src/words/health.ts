import { words } from './row'

export const health = words({
  'health.why': ['What failed', '故障原因'],
  'health.since': ['Since', '起始时间'],
})
