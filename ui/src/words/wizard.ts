import { words } from './row'

export const wizard = words({})
