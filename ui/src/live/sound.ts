import { Store } from '../parts/store'

/** One tile is heard at a time; the volume is remembered. */
export const sound = new Store<{ channel: string | null; volume: number }>({ channel: null, volume: 0.8 })
