import { words } from './row'

export const alarms = words({})
