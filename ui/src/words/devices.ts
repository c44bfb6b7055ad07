import { words } from './row'

export const devices = words({})
