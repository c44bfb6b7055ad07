import { words } from './row'

export const health = words({})
