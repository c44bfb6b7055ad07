import { words } from './row'

export const admin = words({})
